import Files
import NNFormat
import NNGraph
import NNOnnx

extension Convert {
  /// Writes a .nnrt file as an ONNX model; gives what to say about it.
  func export(_ input: String, to output: String) throws(NNError) -> String {
    let model = try WholeFile.read(input) { (bytes) throws(NNError) in
      try ModelFile.decode(bytes, keptAliveBy: nil, limits: ReadLimits(memory: Int.max))
    }
    let onnx: OnnxExport
    do throws(NNError) {
      onnx = try model.exportedToOnnx()
    } catch {
      throw error.within(input)
    }
    let files = try onnx.write(
      to: output, constantsOfAtMost: externalData ? 0 : OnnxExport.largestMessage)
    var lines = files.map { "\($0.path): \($0.size.grouped) bytes" }
    lines[0] += ", \(onnx.nodeCount.grouped) nodes of operator set \(onnx.operatorSet)"
    return lines.joined(separator: "\n")
  }
}
