import NNFormat
import NNGraph
import Testing

private let options: [WriteOptions] = [WriteOptions(codec: .raw), WriteOptions(codec: .zstd(level: 19))]

/// Small, but with every section and with weights that compress and weights that do not.
private func model() throws -> ModelFile {
  var model = try mlp([6, 17, 10])
  model.selfTests = [
    SelfTest(
      inputs: [try Tensor([Float](repeating: 0.25, count: 6), extents: [1, 6])],
      outputs: [try Tensor([Float](repeating: 0.1, count: 10), extents: [1, 10])])
  ]
  return model
}

@Test(arguments: 0..<options.count)
func everyProperPrefixIsRefused(codec: Int) throws {
  let bytes = try model().encode(options[codec])
  for length in 0..<bytes.count {
    expectError(.notANnrtFile, .corruptFile) { _ = try ModelFile.decode(Array(bytes[0..<length])) }
  }
}

/// Checksums, checked padding and reserved zeros leave no byte of a file without a guard.
@Test(arguments: 0..<options.count, [0x01, 0x80, 0xFF] as [UInt8])
func everyChangedByteIsNoticed(codec: Int, change: UInt8) throws {
  var bytes = try model().encode(options[codec])
  for index in bytes.indices {
    bytes[index] ^= change
    #expect(throws: NNError.self, "byte \(index)") { _ = try ModelFile.decode(bytes) }
    bytes[index] ^= change
  }
  _ = try ModelFile.decode(bytes)
}

@Test(arguments: 0..<options.count)
func everyByteMayBeTheLastOfSomethingElse(codec: Int) throws {
  let bytes = try model().encode(options[codec])
  for extra in [[0], [0, 0, 0, 0, 0, 0, 0, 0], Array(bytes)] as [[UInt8]] {
    expectError(.corruptFile) { _ = try ModelFile.decode(bytes + extra) }
  }
}

/// A memory limit that is too small must give a limit error wherever it strikes, and nothing else.
@Test(arguments: 0..<options.count)
func everyMemoryLimitIsRespected(codec: Int) throws {
  let bytes = try model().encode(options[codec])
  var accepted = false
  for limit in stride(from: 0, through: 1 << 20, by: 331) {
    do throws(NNError) {
      _ = try ModelFile.decode(bytes, limits: ReadLimits(memory: limit))
      accepted = true
    } catch {
      #expect(error.code == .limitExceeded, "\(error.message)")
      #expect(!accepted)
    }
  }
  #expect(accepted)
}
