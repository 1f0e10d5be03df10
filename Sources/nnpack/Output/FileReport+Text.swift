import NNFormat
import NNGraph

extension FileReport {
  /// The report for people.
  var text: String {
    var blocks = ["\(file): .nnrt version \(formatVersion), \(bytes.grouped) bytes"]
    if !metadata.isEmpty { blocks.append(metadataText) }
    blocks.append(portsText)
    blocks.append(nodesText)
    blocks.append(bytesText)
    return blocks.joined(separator: "\n\n")
  }

  private var metadataText: String {
    let width = metadata.map { $0.key.count }.max() ?? 0
    return metadata.map { entry in
      let key = entry.key + String(repeating: " ", count: width - entry.key.count)
      // Several lines, as the labels have, stand beside each other.
      return "  \(key)  \(entry.value.split(separator: "\n").joined(separator: ", "))"
    }.joined(separator: "\n")
  }

  private var portsText: String {
    var table = Table(["", "name", "type", "shape"], alignments: [.left, .left, .left, .left])
    for (role, ports) in [("input", inputs), ("output", outputs)] {
      for port in ports { table.append([role, port.name, port.dtype, FileReport.shapeText(port.shape)]) }
    }
    return table.text
  }

  private var nodesText: String {
    var table = Table(
      ["node", "operator", "attributes", "result", "parameters"],
      alignments: [.left, .left, .left, .left, .right])
    for node in nodes {
      table.append([
        node.name, node.op, node.attributes, FileReport.shapeText(node.shape),
        node.parameters == 0 ? "" : node.parameters.grouped,
      ])
    }
    table.append(["total", "", "", "", parameters.grouped])
    return table.text
  }

  private var bytesText: String {
    var table = Table(
      ["part", "type", "shape", "codec", "stored", "raw", "ratio"],
      alignments: [.left, .left, .left, .left, .right, .right, .right])
    for part in parts + [total] {
      let ratio = part.rawBytes > 0 ? (Double(part.storedBytes) / Double(part.rawBytes)).fixed(3) : ""
      table.append([
        part.part, part.dtype ?? "", part.shape.map { Shape($0).description } ?? "", part.codec,
        part.storedBytes.grouped, part.rawBytes.grouped, ratio,
      ])
    }
    let weights = parameters * 4
    guard weights > 0 else { return table.text }
    let share = (Double(bytes) / Double(weights)).fixed(3)
    return table.text
      + "\n\n  the whole file is \(share) of its \(parameters.grouped) parameters as float32 (\(weights.grouped) bytes); "
      + "\(selfTests) self-test vector\(selfTests == 1 ? "" : "s")"
  }

  private var total: Part {
    Part(
      part: "total", codec: "", storedBytes: parts.reduce(0) { $0 + $1.storedBytes },
      rawBytes: parts.reduce(0) { $0 + $1.rawBytes })
  }

  private static func shapeText(_ shape: [String]) -> String { "(" + shape.joined(separator: ", ") + ")" }
}
