import CNNRT
import NNGraph

/// The words for the last failure on the calling thread, in UTF-8.
///
/// Set by every function that fails, and left alone by those that succeed: look at it after a status other than
/// `NNRT_OK`. Reading it allocates nothing.
///
/// - Returns: A text that ends with NUL and is cut after 1023 bytes; an empty one if nothing failed yet. Never NULL. It
///   belongs to the library and holds until the next failure on this thread.
/// - Threads: Any. Each thread sees its own.
@c(nnrt_error_message) public func nnrt_error_message() -> UnsafePointer<CChar> {
  UnsafePointer(nnp_thread_error_message())
}

/// Remembers the error's message for `nnrt_error_message` and gives its status.
func report(_ error: NNError) -> nnrt_status {
  let place = nnp_thread_error_message()
  var length = 0
  for byte in error.message.utf8 {
    guard length < Int(NNRT_ERROR_MESSAGE_SIZE) - 1 else {
      length = endOfLastWholeCharacter(place, length, next: byte)
      break
    }
    // A NUL would end the text early for every reader in C.
    place[length] = CChar(bitPattern: byte == 0 ? UInt8(ascii: "?") : byte)
    length += 1
  }
  place[length] = 0
  return nnrt_status(error.code)
}

/// Where to cut `length` bytes of UTF-8 that go on with `next`, so that no character is cut in two.
private func endOfLastWholeCharacter(_ text: UnsafePointer<CChar>, _ length: Int, next: UInt8) -> Int {
  var end = length
  var following = next
  // 10xxxxxx continues a character.
  while end > 0 && following & 0xC0 == 0x80 {
    end -= 1
    following = UInt8(bitPattern: text[end])
  }
  return end
}

/// Runs `body` and turns what it throws into a status and a message.
@inline(__always)
func attempt(_ body: () throws(NNError) -> Void) -> nnrt_status {
  do throws(NNError) {
    try body()
    return .ok
  } catch {
    return report(error)
  }
}
