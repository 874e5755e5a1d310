extension Span.Kind {
  /// The word for the kind in Jaeger's tag `span.kind`, in the query API and in the text format; nil where Jaeger has no
  /// tag.
  package var word: String? {
    switch self {
    case .unspecified: nil
    case .internal: "internal"
    case .server: "server"
    case .client: "client"
    case .producer: "producer"
    case .consumer: "consumer"
    }
  }
}
