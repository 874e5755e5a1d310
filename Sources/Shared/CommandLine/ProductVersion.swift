/// What `--version` and the outputs' headers say.
package enum ProductVersion {
  package static let number = "1.0.0"
  /// The commit of the build, where the build knows it.
  package static let commit = "unknown"
}
