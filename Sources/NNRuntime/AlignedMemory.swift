import CPlatform
import NNGraph

/// Memory aligned to 64 bytes that is freed with its owner.
final class AlignedMemory: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let size: Int

  var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: size) }

  /// Its content is undefined at first; untouched pages cost nothing.
  ///
  /// - Parameter isSoonWritten: Whether all of it will be written, soon: its pages are then had at once.
  /// - Throws: ``ErrorCode/outOfMemory``, saying what the memory was for.
  init(size: Int, purpose: StaticString, isSoonWritten: Bool = false) throws(NNError) {
    guard size >= 0, let base = nnp_allocate(size) else {
      throw NNError(.outOfMemory, "\(size) bytes for \(purpose) could not be allocated")
    }
    self.base = base
    self.size = size
    if isSoonWritten { nnp_will_write(base, size) }
  }

  deinit { nnp_free(base) }
}
