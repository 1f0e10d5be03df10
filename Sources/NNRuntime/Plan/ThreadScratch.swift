/// Where each thread has scratch to itself.
struct ThreadScratch {
  /// Bytes that lie unused, and so untouched, between two threads' scratch. Processors read ahead of a thread that walks through planes, up to
  /// some hundred thousand bytes beyond the last: what another thread is writing there would go back and forth between them.
  private static let distance = 1 << 20

  let base: UnsafeMutableRawPointer
  /// From the beginning of one thread's scratch to the next one's.
  let stride: Int

  /// From one thread's scratch of `size` bytes to the next one's.
  static func stride(_ size: Int) -> Int { size > 0 ? size + distance : 0 }

  subscript(thread: Int) -> UnsafeMutableRawPointer { base + thread * stride }
}
