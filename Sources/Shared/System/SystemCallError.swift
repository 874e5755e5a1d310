import Glibc

/// A system call that failed: which, on what, and why.
package struct SystemCallError: Error, CustomStringConvertible {
  /// The call's name, such as `open`.
  package let call: String
  /// What it was called on: a path, an address or a descriptor's role.
  package let subject: String
  /// The value of `errno`.
  package let code: Int32

  /// Takes `errno` as it is now, so it must be made before anything else is called.
  package init(_ call: String, _ subject: String, code: Int32 = errno) {
    self.code = code
    self.call = call
    self.subject = subject
  }

  /// Whether the process or the system is short of descriptors or memory, which is not a problem of the call's subject.
  package var isShortage: Bool { [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(code) }

  /// The system's text for the error.
  package var reason: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let base = buffer.baseAddress, strerror_r(code, base, 256) == 0 else { return "error \(code)" }
      return String(cString: base)
    }
  }

  package var description: String { "\(subject): \(call): \(reason)" }
}
