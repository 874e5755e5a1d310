import System

@testable import Delivery

/// A clock that moves when somebody waits, or works.
final class TestClock: DeliveryClock, @unchecked Sendable {
  // One thread uses it.
  var milliseconds = 1000
  func wait(for wakeup: Wakeup?, until time: Int) { milliseconds = max(milliseconds + 1, time) }
}

/// A receiver that does what a script says, in no time but that of the test's clock.
final class FakeReceiver: Receiver {
  /// What it does with the next chunk.
  enum Act: Equatable {
    case acknowledge
    /// Stores it or not, and closes the connection.
    case close(stores: Bool)
    /// Stores it or not, and says nothing.
    case silence(stores: Bool)
    case acknowledgeAs(String)
    case acknowledgeTwice
    case refuse
    case busy(Int)
    case reject(Int)
  }

  let name: String
  let depth: Int
  private let clock: TestClock
  /// Chosen for each chunk, by its records.
  var act: ([String]) -> Act
  /// Whether a connection can be made.
  var isThere: () -> Bool = { true }
  /// What it stored: the records of each chunk, in order, and the chunk's id.
  private(set) var stored: [(id: String, records: [String])] = []
  /// All ids that were sent, each as often as it was, and the bytes of each.
  private(set) var sent: [(id: String, payload: String)] = []
  private(set) var connections = 0
  private(set) var isOpen = false
  private var answers: [Acknowledgement] = []
  private var failure: DeliveryFailure?

  init(named name: String = "fake", depth: Int = 8, _ clock: TestClock, _ act: @escaping ([String]) -> Act) {
    self.name = name
    self.depth = depth
    self.clock = clock
    self.act = act
  }

  func connect(until deadline: Int) throws(DeliveryFailure) {
    clock.milliseconds += 1
    guard isThere() else { throw DeliveryFailure(.unavailable, "\(name): connect: Connection refused") }
    connections += 1
    isOpen = true
  }

  func disconnect() {
    isOpen = false
    answers = []
    failure = nil
  }

  func send(_ chunk: Chunk, until deadline: Int) throws(DeliveryFailure) {
    clock.milliseconds += 1
    let payload = chunk.withPayload { String(decoding: $0, as: UTF8.self) }
    let records = Self.records(chunk)
    sent.append((chunk.id, payload))
    guard isOpen else { throw DeliveryFailure(.unanswered, "\(name): closed") }
    // What comes behind the end of a connection is not read.
    if failure != nil { return }
    switch act(records) {
    case .acknowledge: store(chunk, records, Acknowledgement(chunk.id))
    case .acknowledgeTwice:
      store(chunk, records, Acknowledgement(chunk.id))
      answers.append(Acknowledgement(chunk.id))
    case .reject(let count): store(chunk, records, Acknowledgement(chunk.id, rejected: count))
    case .acknowledgeAs(let id): store(chunk, records, Acknowledgement(id))
    case .silence(let stores): if stores { stored.append((chunk.id, records)) }
    case .close(let stores):
      if stores { stored.append((chunk.id, records)) }
      failure = DeliveryFailure(.unanswered, "\(name) closed the connection")
    case .refuse: throw DeliveryFailure(.refused, "\(name) answered 400")
    case .busy(let pause): throw DeliveryFailure(.unavailable, "\(name) answered 503", retryAfter: pause)
    }
  }

  private func store(_ chunk: Chunk, _ records: [String], _ answer: Acknowledgement) {
    stored.append((chunk.id, records))
    answers.append(answer)
  }

  func acknowledgements(until deadline: Int, orRaised wakeup: Wakeup?) throws(DeliveryFailure)
    -> [Acknowledgement]
  {
    if answers.isEmpty {
      if let failure { throw failure }
      clock.milliseconds = max(clock.milliseconds + 1, deadline)
      return []
    }
    defer { answers = [] }
    return answers
  }

  static func records(_ chunk: Chunk) -> [String] {
    (0..<chunk.count).map { chunk.withEntry($0) { String(decoding: $0, as: UTF8.self) } }
  }
}

/// Everything around a loop that a test looks at. One thread uses it.
final class Bench {
  final class Positions: PositionStore, @unchecked Sendable {
    var saved: [(place: String, time: Int)] = []
    var fails = false
    let clock: TestClock
    init(_ clock: TestClock) { self.clock = clock }
    func save(_ position: String) throws(SystemCallError) {
      if fails { throw SystemCallError("write", "cursor", code: 28) }
      saved.append((position, clock.milliseconds))
    }
  }

  final class SetAside: SetAsideStore, @unchecked Sendable {
    var records: [String] = []
    var fails = false
    func add(_ chunk: Chunk, receiver: String, reason: String) throws(SystemCallError) {
      if fails { throw SystemCallError("write", "set-aside", code: 28) }
      records += FakeReceiver.records(chunk)
    }
  }

  let clock = TestClock()
  let positions: Positions
  let setAside = SetAside()
  var events: [String] = []
  var settings = DeliverySettings()
  private var nextID = 0

  init() { positions = Positions(clock) }

  func loop(_ receivers: [any Receiver], setsAside: Bool = true) -> DeliveryLoop {
    DeliveryLoop(
      receivers,
      DeliveryLoop.Context(
        settings: settings, clock: clock, random: { 0.5 },
        makeID: { [self] in
          nextID += 1
          return "half\(nextID)"
        }, positions: positions, setAside: setsAside ? setAside : nil,
        report: { [self] event in events.append("\(event)") }))
  }

  /// A chunk of records, whose position is its number.
  func chunk(_ number: Int, _ records: [String]) -> Chunk {
    var bytes: [UInt8] = []
    var ends: [Int] = []
    for record in records {
      bytes += Array(record.utf8)
      ends.append(bytes.count)
    }
    return Chunk(id: "c\(number)", bytes: bytes, ends: ends, position: String(number))
  }

  /// Steps until everything is done, or so often; whether it is done.
  @discardableResult
  func run(_ loop: DeliveryLoop, steps: Int = 10_000) -> Bool {
    for _ in 0..<steps {
      if loop.isEmpty || loop.end != nil { break }
      loop.step(until: clock.milliseconds + 100_000)
    }
    let isDone = loop.isEmpty
    if isDone { loop.finish() }
    return isDone
  }
}
