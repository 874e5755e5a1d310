import Glibc

/// A shared library that is loaded when it is first needed, and stays loaded until the process ends.
package struct DynamicLibrary: @unchecked Sendable {
  // The handle is dlopen(3)'s, whose functions any thread may call.
  private let handle: UnsafeMutableRawPointer

  /// Loads the first library that exists; nil if none does.
  package init?(_ names: String...) {
    guard let handle = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first else { return nil }
    self.handle = handle
  }

  /// A function as a pointer of the requested type, which must be `@convention(c)` and match the function's
  /// declaration; nil if the library has no such function.
  package func function<Function>(_ name: String, as type: Function.Type = Function.self) -> Function? {
    guard let address = dlsym(handle, name) else { return nil }
    precondition(MemoryLayout<Function>.size == MemoryLayout<UnsafeMutableRawPointer>.size)
    return unsafeBitCast(address, to: Function.self)
  }
}
