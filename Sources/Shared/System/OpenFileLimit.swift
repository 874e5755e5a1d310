import Glibc

/// The limit on open files.
package enum OpenFileLimit {
  /// Raises it as far as allowed: each agent and each sandbox needs one, and the usual 1,024 is for programs that call
  /// select(2).
  package static func raise() {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(resource, &limit)
  }
}
