import FuzzSupport
import NNFormat
import NNGraph

// Loads every input. A finding is a trap, an error of AddressSanitizer, a leak, a hang, or a failed check below.

@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  let bytes = UnsafeRawBufferPointer(start: data, count: size)
  do throws(NNError) {
    let model = try ModelFile.decode(bytes, keptAliveBy: nil, limits: ReadLimits(memory: 32 << 20))
    checkThatItRoundTrips(model)
  } catch {
    // A message must be text that C can take, whatever the input was.
    precondition(!error.message.utf8.contains(0))
  }
  return 0
}

/// What the reader accepts, the writer must be able to write, and reading that must give the same model.
private func checkThatItRoundTrips(_ model: ModelFile) {
  let options = WriteOptions(codec: .raw)
  guard let first = try? model.encode(options) else { fatalError("a model that was read cannot be written") }
  first.withUnsafeBytes { bytes in
    guard let again = try? ModelFile.decode(bytes, keptAliveBy: nil) else {
      fatalError("what was written cannot be read")
    }
    guard let second = try? again.encode(options), first == second else {
      fatalError("the second writing differs from the first")
    }
    guard let layout = try? ModelFile.layout(of: bytes) else { fatalError("no layout of a file that loads") }
    let sections = layout.sections.reduce(0) { $0 + $1.storedBytes }
    precondition(layout.headerBytes + layout.paddingBytes + sections == first.count)
  }
}

@c(FuzzLoader_main)
public func main(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
  runFuzzer(count, arguments, testOneInput)
}
