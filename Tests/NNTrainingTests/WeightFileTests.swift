import Foundation
import NNGraph
import NumPyFiles
import Testing

@testable import NNTraining

@Suite struct WeightFileTests {
  private func path(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/" + name).path
  }

  /// A network of `Golden/make_weights.py` in our layers gives PyTorch's outputs.
  private func expectAgreement(
    _ name: String, _ model: any Layer, rename: (String) -> String? = { $0 }
  ) throws {
    let golden = try #require(Golden.weights[name])
    let trainer = try Trainer(
      model, sampleShape: Array(golden.input.shape.dropFirst()), loss: .meanSquaredError, optimizer: SGD(),
      seed: 1)
    let report = try trainer.store.load(
      NamedWeights.read(path: path(name + ".safetensors")), layout: .pyTorch, isStrict: true, rename: rename)
    #expect(report.missing.isEmpty && report.unused.isEmpty)
    let output = try trainer.predict(golden.input.values.map { Float($0) })
    #expect(relativeDifference(output.map { Double($0) }, golden.output.values) < 2e-6)
  }

  @Test func aNetworkOfPyTorchGivesItsOutputs() throws {
    let names = ["0": "conv2d_1", "1": "batchnorm_1", "4": "dense_1", "6": "dense_2"]
    let model = Sequential {
      Conv2D(4, kernelSize: 3)
      BatchNorm()
      Activation.relu
      Flatten()
      Dense(5, activation: .tanh)
      Dense(5)
    }
    try expectAgreement("images", model) { name in
      let parts = name.split(separator: ".")
      return names[String(parts[0])].map { $0 + "." + parts[1] }
    }
  }

  @Test func kernelsOfOneAndThreeAxesAreLaidOut() throws {
    try expectAgreement("line", Conv1D(3, kernelSize: 2)) {
      $0.replacingOccurrences(of: "line", with: "conv1d_1")
    }
    try expectAgreement("volume", Conv3D(3, kernelSize: (2, 1, 2))) {
      $0.replacingOccurrences(of: "volume", with: "conv3d_1")
    }
  }

  @Test func recurrentMatricesAreTransposed() throws {
    try expectAgreement("lstm", LSTM(4)) { name in
      [
        "weight_ih_l0": "lstm_1.weight", "weight_hh_l0": "lstm_1.recurrent_weight",
        "bias_ih_l0": "lstm_1.bias",
      ][name]
    }
  }

  @Test func tablesOfEmbeddingsAreNotTransposed() throws {
    let trainer = try Trainer(
      Embedding(3, dimension: 3), sampleShape: [3], inputType: .i64, loss: .meanSquaredError,
      optimizer: SGD(), seed: 1)
    try trainer.store.load(
      NamedWeights.read(path: path("embedding.safetensors")), layout: .pyTorch, isStrict: true
    ) { "embedding_1." + $0 }
    let golden = try #require(Golden.weights["embedding"])
    #expect(try trainer.trained.predict(tokens: [2, 0, 1]).map { Double($0) } == golden.output.values)
  }

  @Test func tensorsOfAllTypesBecomeF32() throws {
    let tensors = try NamedWeights.read(path: path("types.safetensors"))
    func values(_ name: String) throws -> [Float] { try #require(tensors.first { $0.name == name }).values }
    let numbers: [Float] = [0, -0.0, 1, -2.5, 65504, 0x1p-24, 0x1p-15, .infinity]
    #expect(try values("f32") == numbers && values("f16") == numbers)
    #expect(try values("f32").map { $0.sign } == numbers.map { $0.sign })
    #expect(try values("bf16") == numbers.map { $0 == 65504 ? 65536 : $0 })
    #expect(try values("f64") == numbers.map { Float(Double($0) / 3) })
    #expect(try values("i64") == [7] && values("u8") == [0, 255] && values("bool") == [1, 0])
    #expect(try tensors.first { $0.name == "empty" }?.extents == [0, 2])
    #expect(tensors.first { $0.name == "i64" }?.extents == [])
  }

  @Test func whatIsWrittenComesBackAndIsInPyTorchsLayout() throws {
    try withTemporaryPath { path in
      let trainer = try Trainer(
        Sequential {
          Dense(3)
          BatchNorm()
          Dense(2)
        }, sampleShape: [4], loss: .meanSquaredError, optimizer: SGD(), seed: 5)
      for layout in [WeightLayout.own, .pyTorch] {
        try NamedWeights.write(trainer.store.weights(layout: layout), safetensors: path)
        let stored = try NamedWeights.read(path: path)
        #expect(stored.first?.extents == (layout == .own ? [4, 3] : [3, 4]))
        #expect(
          stored.contains {
            $0.name == (layout == .own ? "batchnorm_1.running_variance" : "batchnorm_1.running_var")
          })
        let other = try Trainer(
          Sequential {
            Dense(3)
            BatchNorm()
            Dense(2)
          }, sampleShape: [4], loss: .meanSquaredError, optimizer: SGD(), seed: 6)
        try other.store.load(stored, layout: layout, isStrict: true)
        #expect(other.bits == trainer.bits)
      }
      // As the format's README asks: the header's length, JSON, bytes that begin at a multiple of eight.
      let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
      let length = Int(bytes[0]) | Int(bytes[1]) << 8
      #expect(length % 8 == 0 && bytes[2..<8].allSatisfy { $0 == 0 } && bytes[8] == UInt8(ascii: "{"))
      let header = try #require(
        JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: [String: Any]])
      #expect(header["dense_1.weight"]?["shape"] as? [Int] == [3, 4])
      #expect(header["dense_1.weight"]?["data_offsets"] as? [Int] == [0, 48])
      #expect(header["__metadata__"]?["format"] as? String == "pt")
    }
  }

  @Test func kernelsOfTransposedConvolutionsOfOneAxisComeBack() throws {
    func trainer(seed: UInt64) throws -> Trainer {
      try Trainer(
        ConvTranspose1D(3, kernelSize: 4, strides: 2), sampleShape: [2, 5], loss: .meanSquaredError,
        optimizer: SGD(), seed: seed)
    }
    let (source, target) = (try trainer(seed: 1), try trainer(seed: 2))
    let stored = source.store.weights(layout: .pyTorch)
    // PyTorch's (inputs, outputs, k).
    #expect(stored.map { $0.extents } == [[2, 3, 4], [3]])
    try target.store.load(stored, layout: .pyTorch, isStrict: true)
    #expect(target.bits == source.bits)
  }

  @Test func permutedKernelsComeBack() {
    let kernel = NamedWeights(
      name: "conv3d_1.weight", extents: [2, 3, 4, 1, 2], values: (0..<48).map { Float($0) })
    let stored = WeightLayout.pyTorch.file(kernel)
    #expect(stored.extents == [3, 4, 2, 1, 2])
    // (O, I, D, H, W) = (1, 2, 1, 0, 1) is number 27; (D, O, I, H, W) = (1, 1, 2, 0, 1) is number 37.
    #expect(stored.values[27] == 37)
    #expect(WeightLayout.pyTorch.own(stored, for: kernel.name).values == kernel.values)
    let matrix = NamedWeights(name: "m", extents: [2, 3], values: [1, 2, 3, 4, 5, 6])
    #expect(matrix.transposed().values == [1, 4, 2, 5, 3, 6] && matrix.transposed().extents == [3, 2])
  }

  /// A file with the given header over some bytes.
  private func file(_ header: String, bytes: Int) -> [UInt8] {
    let length = header.utf8.count
    var result: [UInt8] = []
    for index in 0..<8 { result.append(UInt8(truncatingIfNeeded: length >> (8 * index))) }
    result += Array(header.utf8)
    return result + [UInt8](repeating: 1, count: bytes)
  }

  private func message(_ bytes: [UInt8]) -> String {
    do {
      _ = try bytes.withUnsafeBytes { try SafetensorsFile.decode($0) }
      return "no error"
    } catch {
      return (error as? NNError)?.message ?? "another error"
    }
  }

  @Test func damagedHeadersNameTheTensor() {
    let a = #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#
    #expect(message(file("{\(a)}", bytes: 8)) == "no error")
    #expect(message(file("{}   ", bytes: 0)) == "no error")
    let cases: [(String, Int, String)] = [
      ("{\(a)}", 9, "1 bytes after the last tensor belong to none"),
      ("{\(a)}", 7, "tensor \"a\": bytes 0..<8 of 7"),
      (
        "{\(a),\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,10]}}", 10,
        "tensor \"b\": the 1 bytes in front"
      ),
      (
        "{\(a),\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[7,8]}}", 8,
        "tensor \"b\": its bytes overlap"
      ),
      (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8, "tensor \"a\": F32 (3) needs 12 bytes"),
      (#"{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#, 8, "tensor \"a\": type C64"),
      (#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, 8, "tensor \"a\""),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8, "tensor \"a\": bytes 8..<0"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, 8, "tensor \"a\""),
      (#"{"a":{"dtype":"F32","shape":[2]}}"#, 8, "tensor \"a\": data_offsets is missing"),
      (
        #"{"a":{"dtype":"F32","shape":["x"],"data_offsets":[0,8]}}"#, 8,
        "tensor \"a\": shape: \"x\" instead of a whole number"
      ),
      (
        #"{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,8]}}"#, 8,
        "tensor \"a\""
      ),
      (
        #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}"#, 8,
        "tensor \"a\": shape: "
      ),
      ("{\"a\":", 0, "the header: 1:6: the text ends"),
      (#"{"__metadata__":{"format":1}}"#, 0, "the header: __metadata__.format: 1 instead of a text"),
      ("{\(a),\(a)}", 8, "the key \"a\" stands here twice"), ("[1]", 0, "not a .safetensors file"),
      (String(repeating: "{\"a\":", count: 3000), 0, "more than 128 arrays and objects in each other"),
    ]
    for (header, bytes, part) in cases {
      let message = message(file(header, bytes: bytes))
      #expect(message.contains(part), "\(message) lacks \(part)")
    }
    #expect(message([1, 2, 3]) == "not a .safetensors file")
    #expect(message([255, 255, 255, 255, 255, 255, 255, 255, 123, 125]).contains("18446744073709551615"))
  }

  @Test func everyTruncationIsRefusedAndNoChangedByteCrashes() throws {
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path("types.safetensors"))))
    for count in 0..<bytes.count {
      #expect(message(Array(bytes.prefix(count))) != "no error", "\(count) bytes")
    }
    for index in bytes.indices {
      for flip in [1, 0x20, 0xFF] as [UInt8] {
        var damaged = bytes
        damaged[index] ^= flip
        _ = message(damaged)
      }
    }
  }

  @Test func weightsOfAnArchiveAreRead() throws {
    try withTemporaryPath { path in
      let tensor = try Tensor([Float(1), 2, 3, 4, 5, 6], extents: [3, 2])
      try NPZFile.write(
        [("dense_1.weight", tensor), ("dense_1.bias", try Tensor([Int64(7), 8], extents: [2]))], to: path)
      let trainer = try Trainer(
        Dense(2), sampleShape: [3], loss: .meanSquaredError, optimizer: SGD(), seed: 1)
      try trainer.store.load(NamedWeights.read(path: path), isStrict: true)
      #expect(try trainer.predict([1, 0, 1]) == [6 + 7, 8 + 8])
      try WholeFileForTests.write(Array("something else".utf8), path)
      let error = #expect(throws: NNError.self) { try NamedWeights.read(path: path) }
      #expect(error?.message.hasPrefix(path + ": not a .safetensors file") == true)
    }
  }

  @Test func weightsThatCannotBeWrittenAreNamed() throws {
    let one = NamedWeights(name: "w", extents: [1], values: [1])
    for wrong in [[one, one], [NamedWeights(name: "v", extents: [2], values: [1])]] {
      #expect(throws: NNError.self) {
        try NamedWeights.write(wrong, safetensors: temporaryPath("never-written"))
      }
    }
  }
}
