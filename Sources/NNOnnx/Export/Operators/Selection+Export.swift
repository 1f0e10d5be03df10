import NNGraph

extension Selection {
  static func exportNonZero(_ x: Operand, _ graph: OnnxGraphWriter) throws -> String {
    switch x.dtype {
    case .f32, .i32, .i64, .u8, .bool: return graph.node("NonZero", x.name)
    case .f64, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1, .i8, .i16, .i4,
      .i2, .u16, .u32, .u64, .u4, .u2:
      return graph.node("NonZero", try graph.cast(x, .bool))
    }
  }

  static func exportUnique(_ x: Operand, axis: Int?, sorts: Bool, _ graph: OnnxGraphWriter) throws -> [String]
  {
    var attributes: [OnnxAttributeProto] = [.flag("sorted", sorts)]
    if let axis { attributes.append(.int("axis", axis)) }
    var results = graph.add(
      "Unique", [try graph.ordered(x, .distinguishing)], attributes, outputs: 4)
    results[0] = try graph.restored(results[0], x.dtype, .distinguishing)
    return results
  }

  static func exportSuppression(_ x: [Operand], isCentered: Bool, _ graph: OnnxGraphWriter) throws -> String {
    let limits = try x[2...].map { $0.rank <= 1 ? $0.name : try graph.single($0) }
    return graph.add(
      "NonMaxSuppression", [x[0].name, x[1].name] + limits, [.flag("center_point_box", isCentered)])[0]
  }
}
