import NNGraph
import NNOnnx
import NNPasses

/// What a conversion made of a model.
struct ConversionReport {
  let output: String
  /// What the bytes before are those of.
  let original: String
  let nodesBefore: Int
  var nodesAfter = 0
  let bytesBefore: Int
  var bytesAfter = 0
  /// In how many places each pass changed the graph.
  var effects: [(pass: Pass, count: Int)] = []
  var selfTestCount = 0
  /// Why there are not more self-test vectors.
  var selfTestNote: String?
  /// What became of weights from another file.
  var loaded: LoadedWeights?
  /// What narrower weights cost, if they were asked for.
  var rounding: RoundingReport?
  /// What a check found.
  var comparisons: [ConversionCheck.Comparison] = []
  /// What is computed less precisely than the model says.
  var warnings: [String] = []

  init(output: String, _ model: OnnxModel) {
    self.output = output
    original = "the ONNX file"
    nodesBefore = model.nodeCount
    bytesBefore = model.size
  }

  /// Of a `.nnrt` file, whose operators stay as they are.
  init(output: String, _ graph: Graph, bytes: Int) {
    self.output = output
    original = "the file before"
    nodesBefore = graph.nodeCount
    nodesAfter = nodesBefore
    bytesBefore = bytes
  }

  var text: String {
    var table = Table(["", "before", "after"], alignments: [.left, .right, .right])
    table.append(["operators", nodesBefore.grouped, nodesAfter.grouped])
    table.append(["bytes", bytesBefore.grouped, bytesAfter.grouped])
    let share = (Double(bytesAfter) / Double(max(bytesBefore, 1))).fixed(3)
    var blocks = ["\(output): \(share) of \(original)\n\(table.text)"]
    if let passes = passesText { blocks.append(passes) }
    if let loaded { blocks.append(loaded.text) }
    if let rounding { blocks.append(rounding.text) }
    if !comparisons.isEmpty { blocks.append(checkText) }
    blocks.append(selfTestText)
    return blocks.joined(separator: "\n\n")
  }

  private var passesText: String? {
    let changed = effects.filter { $0.count > 0 }
    guard !changed.isEmpty else { return nil }
    var table = Table(["pass", "", ""], alignments: [.left, .right, .left])
    for (pass, count) in changed { table.append([pass.rawValue, count.grouped, pass.effect]) }
    return table.text
  }

  private var checkText: String {
    var table = Table(["output", "checked against", "largest error"], alignments: [.left, .left, .right])
    for comparison in comparisons {
      table.append([comparison.output, comparison.against, comparison.difference.largest.significant(3)])
    }
    return table.text
  }

  private var selfTestText: String {
    let count =
      "\(selfTestCount == 0 ? "no" : "\(selfTestCount)") self-test vector\(selfTestCount == 1 ? "" : "s")"
    return "  " + ([count] + [selfTestNote].compactMap { $0 }).joined(separator: "; ")
  }
}
