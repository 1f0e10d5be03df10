import NNGraph

/// What the attributes of a convolution or pooling node say, for any number of spatial axes.
struct SpatialWindow {
  var extent: [Int]
  var strides: [Int]
  var dilations: [Int]
  var before: [Int]
  var after: [Int]

  var axisCount: Int { extent.count }
}

extension SpatialWindow {
  /// - Parameters:
  ///   - kernel: the window's extents, unless the attribute kernel_shape tells.
  ///   - isTransposed: whether padding to the same extent is left to the transposed convolution.
  ///   - dimensions: the extents of the spatial axes.
  init(
    _ node: OnnxNode, kernel: [Int]?, isTransposed: Bool = false, _ dimensions: [Dimension],
    ceils: Bool = false
  ) throws {
    extent = try node.required(try node.extents("kernel_shape", least: 1) ?? kernel, "kernel_shape")
    let count = extent.count
    strides = try node.extents("strides", least: 1) ?? [Int](repeating: 1, count: count)
    dilations = try node.extents("dilations", least: 1) ?? [Int](repeating: 1, count: count)
    let pads = try node.extents("pads") ?? [Int](repeating: 0, count: 2 * count)
    guard count == dimensions.count, strides.count == count, dilations.count == count,
      pads.count == 2 * count,
      kernel == nil || kernel == extent
    else { throw NNError(.shapeMismatch, "attributes for \(count) axes, the input has \(dimensions.count)") }
    for value in extent + strides + dilations + pads where value > 1 << 20 {
      throw NNError(.limitExceeded, "a window with \(value) in its attributes")
    }
    (before, after) = (Array(pads[..<count]), Array(pads[count...]))
    let mode = try node.string("auto_pad", default: "NOTSET")
    if !isTransposed || !mode.hasPrefix("SAME") { try applyAutoPad(mode, dimensions) }
    if ceils { try addOverhang(dimensions) }
  }

  /// From the first tap of a window to its last one.
  func reach(_ axis: Int) -> Int { (extent[axis] - 1) * dilations[axis] + 1 }

  func outputExtent(_ axis: Int, of input: Int) -> Int {
    let padded = input + before[axis] + after[axis]
    return padded < reach(axis) ? 0 : (padded - reach(axis)) / strides[axis] + 1
  }

  private mutating func applyAutoPad(_ mode: String, _ dimensions: [Dimension]) throws {
    switch mode {
    case "NOTSET": return
    case "VALID":
      before = before.map { _ in 0 }
      after = before
    case "SAME_UPPER", "SAME_LOWER":
      for axis in extent.indices {
        let total: Int
        if let input = dimensions[axis].extent {
          let output = input / strides[axis] + (input % strides[axis] == 0 ? 0 : 1)
          total = max(0, (output - 1) * strides[axis] + reach(axis) - input)
        } else if strides[axis] == 1 {
          total = reach(axis) - 1
        } else {
          throw NNError(
            .unsupportedOperator,
            "auto_pad with strides over an axis of free extent; fix it with --input-shape")
        }
        before[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        after[axis] = total - before[axis]
      }
    default: throw NNError(.invalidGraph, Message(text: "auto_pad \"\(mode)\""))
    }
  }

  /// Rounds the number of windows up: the last one may hang over the end, unless it would begin behind it.
  private mutating func addOverhang(_ dimensions: [Dimension]) throws {
    for axis in extent.indices where strides[axis] > 1 {
      guard let input = dimensions[axis].extent else {
        throw NNError(
          .unsupportedOperator, "ceil_mode over an axis of free extent; fix it with --input-shape")
      }
      let room = input + before[axis] + after[axis] - reach(axis)
      guard room >= 0, room % strides[axis] != 0 else { continue }
      let start = (room / strides[axis] + 1) * strides[axis]
      if start < input + before[axis] { after[axis] += start - room }
    }
  }

  /// As a window over two axes, the first of which is new if there is only one.
  var asPlane: Window? {
    guard axisCount == 1 || axisCount == 2 else { return nil }
    func two(_ values: [Int], _ filler: Int) -> [Int] { values.count == 1 ? [filler] + values : values }
    return Window(
      extent: two(extent, 1), strides: two(strides, 1), dilations: two(dilations, 1),
      paddingBefore: two(before, 0), paddingAfter: two(after, 0))
  }
}
