import TestSupport
import Testing

/// Logs in the shapes that nodes write and people paste, see `Tests/RealShapes`, as they are and with their ids, times and
/// numbers changed by a seed.
@Suite(.ownThreads) struct RealShapesTests {
  @Test(.needs("python3"), arguments: [nil, 1, 2, 3] as [Int?])
  func samplesAreReadAsAPersonReadsThem(_ seed: Int?) throws {
    let result = try Program.python(
      [
        Repository.path("Tests/Validators/check-shapes.py"), try Tool.path,
        Repository.path("Tests/RealShapes"), "-v",
      ]
        + (seed.map { ["--seed", String($0)] } ?? []))
    #expect(result.status == 0, "\(result.text)\(result.errorText)")
  }
}
