import CVersion

/// What `--version` and the outputs' headers say.
package enum ProductVersion {
  package static let number = "1.0.0"
  /// The commit of the build; `unknown` where the build could not know it.
  package static let commit = String(cString: kata_commit())
}
