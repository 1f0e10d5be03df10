import FuzzSupport
import NNFormat
import NNGraph
import NNOnnx
import NNPasses

// Imports every input, runs all passes over what can be imported, and writes and loads that. A finding is a trap, an error of
// AddressSanitizer, a leak, a hang, much memory, or a failed check below.

@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  let bytes = UnsafeRawBufferPointer(start: data, count: size)
  do throws(NNError) {
    let graph = try OnnxModel(bytes: bytes, folder: nil).imported().packed(Pass.allCases)
    checkThatItLoads(try ModelFile(graph: graph).encode(WriteOptions(codec: .raw)))
  } catch {
    // A message must be text that a terminal can take, whatever the input was.
    precondition(!error.message.isEmpty && !error.message.utf8.contains(0))
  }
  return 0
}

/// What was written must load, and write as the same bytes.
private func checkThatItLoads(_ bytes: [UInt8]) {
  bytes.withUnsafeBytes { bytes in
    guard let model = try? ModelFile.decode(bytes, keptAliveBy: nil) else {
      fatalError("what was written cannot be read")
    }
    guard let again = try? model.encode(WriteOptions(codec: .raw)), again.elementsEqual(bytes) else {
      fatalError("the second writing differs from the first")
    }
  }
}

@c(FuzzImporter_main)
public func main(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
  runFuzzer(count, arguments, testOneInput)
}
