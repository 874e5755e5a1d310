extension [UInt8] {
  /// As `withUnsafeBytes`, but keeps the type of the error.
  @inlinable public func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeBufferPointer { bytes throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
  }

  @inlinable public mutating func withMutableBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeMutableBufferPointer { bytes throws(Failure) in
      try body(UnsafeMutableRawBufferPointer(bytes))
    }
  }
}
