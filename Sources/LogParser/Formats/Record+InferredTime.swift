import Bytes

extension Record {
  /// Marks what of the record's time its text does not say, and the user did not say in its place.
  @inline(__always)
  mutating func markTime(_ rules: ReadingRules) {
    if !time.inferred.isEmpty { markInferredTime(rules) }
  }

  @inline(never)
  private mutating func markInferredTime(_ rules: ReadingRules) {
    if marks.contains(.timeIsInherited) { return }
    var inferred = time.inferred
    if rules.knowsZone { inferred.remove(.zone) }
    marks.formUnion(RecordMarks(inferred: inferred))
  }
}
