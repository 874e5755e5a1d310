import Glibc
import Testing

@testable import LogParser

struct OrderedWorkTests {
  /// What a job's worker is: how many jobs it has done.
  private struct Worker: ~Copyable { var jobs = 0 }

  @Test(arguments: [0, 1, 2, 3, 8])
  func resultsComeInTheOrderOfTheJobs(threads: Int) {
    var next = 0
    var results: [Int] = []
    var text = ""
    OrderedWork.run(
      threads: threads,
      nextJob: { () -> Int? in
        next += 1
        return next <= 200 ? next : nil
      },
      makeWorker: { Worker() },
      perform: { job, worker, out -> Int in
        // Jobs of different lengths end in another order than they began.
        if job % 7 == 0 { sched_yield() }
        out.append(string: "\(job),")
        worker.jobs += 1
        return job * 2
      },
      consume: { result, out in
        results.append(result)
        text += String(decoding: out.bytes, as: UTF8.self)
        return true
      })
    #expect(results == (1...200).map { $0 * 2 })
    #expect(text == (1...200).map { "\($0)," }.joined())
  }

  @Test(arguments: [1, 2, 5])
  func boundedNumberOfJobsIsUnderWay(threads: Int) {
    var begun = 0
    var taken = 0
    OrderedWork.run(
      threads: threads,
      nextJob: { () -> Int? in
        begun += 1
        return begun
      },
      makeWorker: { Worker() }, perform: { job, _, _ in job },
      consume: { result, _ in
        taken += 1
        #expect(result == taken)
        return taken < 20
      })
    #expect(taken == 20)
    // Two slots for each thread may be full when the taker ends the work.
    #expect(begun <= 20 + 2 * threads, "\(begun)")
  }

  @Test(arguments: [1, 4])
  func noJobGivesNoResult(threads: Int) {
    OrderedWork.run(
      threads: threads, nextJob: { nil as Int? }, makeWorker: { Worker() }, perform: { job, _, _ in job },
      consume: { _, _ in
        Issue.record("there was no job")
        return true
      })
  }
}
