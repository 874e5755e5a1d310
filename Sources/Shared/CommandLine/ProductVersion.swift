import CVersion

/// The version in `--version` and in the headers of outputs.
package enum ProductVersion {
  package static let number = "1.0.0"
  /// The commit of the build, or `unknown`.
  package static let commit = String(cString: kata_commit())
}
