import Tracing

extension Trace {
  /// Warnings about spans, by their index: those of Jaeger's query service when it does not correct clocks, which is
  /// its default. Times are never changed.
  var warnings: [Int: [String]] {
    var result: [Int: [String]] = [:]
    var first: [UInt64: Int] = [:]
    for (index, span) in spans.enumerated() {
      if first[span.id] == nil {
        first[span.id] = index
      } else {
        result[index, default: []].append("duplicate span IDs; skipping clock skew adjustment")
      }
    }
    var children: [Int: [Int]] = [:]
    var pending: [(index: Int, delta: Int64)] = []
    for (index, span) in spans.enumerated() where first[span.id] == index {
      if let parent = first[span.parent], span.parent != 0 {
        children[parent, default: []].append(index)
        continue
      }
      pending.append((index, 0))
      if span.parent != 0 {
        result[index, default: []].append(
          "parent span ID=\(SpanID(span.parent).description) is not in the trace; skipping clock skew adjustment"
        )
      }
    }
    // Spans that are each other's parents have no root, and are skipped.
    while let (index, delta) = pending.popLast() {
      if delta != 0 {
        result[index, default: []].append(
          "clock skew adjustment disabled; not applying calculated delta of \(GoDuration.text(delta))")
      }
      for child in children[index] ?? [] {
        // A host has one clock, so a child has the same skew as its parent.
        let isSameHost = spans[child].host != nil && spans[child].host == spans[index].host
        pending.append((child, isSameHost ? delta : skew(of: spans[child], in: spans[index])))
      }
    }
    return result
  }

  /// Nanoseconds by which a span would have to be moved to be within its parent.
  private func skew(of span: Member, in parent: Member) -> Int64 {
    let length = span.end - span.start
    let parentLength = parent.end - parent.start
    let late = Int64(clamping: parent.start).subtractingReportingOverflow(Int64(clamping: span.start))
      .partialValue
    // What takes longer than its parent is asynchronous: it can only be told that it began too early.
    if length > parentLength { return max(0, late) }
    if span.start >= parent.start, span.end <= parent.end { return 0 }
    let (delta, isOver) = late.addingReportingOverflow(Int64(clamping: (parentLength - length) / 2))
    return isOver ? .max : delta
  }
}
