import Files
import NNGraph
import NNOnnx

/// What a conversion made of a model.
struct ConversionReport {
  let output: String
  let nodesBefore: Int
  let nodesAfter: Int
  let bytesBefore: Int
  let bytesAfter: Int
  let weightBytes: Int

  init(_ model: OnnxModel, _ graph: Graph, input: String, output: String) throws(NNError) {
    self.output = output
    nodesBefore = model.nodeCount
    nodesAfter = graph.nodes.count
    bytesBefore = model.fileSize
    bytesAfter = try WholeFile.read(output) { (bytes) throws(NNError) in bytes.count }
    weightBytes = graph.values.reduce(0) { $0 + ($1.constant?.bytes.count ?? 0) }
  }

  var text: String {
    var table = Table(["", "before", "after"], alignments: [.left, .right, .right])
    table.append(["operators", nodesBefore.grouped, nodesAfter.grouped])
    table.append(["bytes", bytesBefore.grouped, bytesAfter.grouped])
    let share = (Double(bytesAfter) / Double(max(bytesBefore, 1))).fixed(3)
    return "\(output): \(share) of the ONNX file\n\(table.text)"
  }
}
