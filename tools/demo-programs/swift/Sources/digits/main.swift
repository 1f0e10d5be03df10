// Runs the samples of a .npy file through a .nnrt file in batches of 32 on two threads, and writes the probabilities as
// raw floats.
//
//   digits MODEL.nnrt INPUTS.npy OUTPUT.f32

import Foundation
import NNGraph
import NNRuntime

let arguments = CommandLine.arguments
guard arguments.count == 4 else {
  print("usage: digits MODEL.nnrt INPUTS.npy OUTPUT.f32")
  exit(64)
}

do {
  let model = try Model.open(path: arguments[1])
  let session = try Session(model, options: Session.Options(threads: 2))
  let input = model.graph[model.graph.inputs[0]]
  let sampleShape = input.type.shape.dimensions.dropFirst().map { $0.extent ?? 1 }
  let sampleSize = sampleShape.reduce(1, *)

  // A version 1.0 .npy file: the header's length stands in two bytes after magic and version.
  let file = [UInt8](try Data(contentsOf: URL(fileURLWithPath: arguments[2])))
  let start = 10 + Int(file[8]) + 256 * Int(file[9])
  let samples = file[start...].withUnsafeBytes { bytes in
    (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
  }
  let count = samples.count / sampleSize

  var probabilities: [Float] = []
  for first in stride(from: 0, to: count, by: 32) {
    let batch = min(32, count - first)
    let values = Array(samples[first * sampleSize..<(first + batch) * sampleSize])
    probabilities += try session(values, extents: [batch] + sampleShape)
  }
  try probabilities.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: arguments[3])) }
  print("Swift   \(count) samples in batches of 32 on two threads")
} catch let error as NNError {
  print("digits: \(error.message)")
  exit(1)
}
