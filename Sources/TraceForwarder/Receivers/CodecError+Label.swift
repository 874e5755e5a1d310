import Bytes

extension CodecError.Reason {
  /// The value of the label `reason` that `kata_forwarder_spans_rejected_total` has for it.
  var label: String {
    switch self {
    case .truncated: "truncated"
    case .text: "text"
    case .number: "number"
    case .tag: "tag"
    case .syntax: "syntax"
    case .missing: "missing"
    case .trailing: "trailing"
    case .limit: "limit"
    case .identifier: "identifier"
    }
  }
}
