import NNGraph

/// Which boxes of one class are kept: those of the highest scores, each unless it overlaps a kept one too much.
///
/// - Parameters:
///   - boxes: (S, 4): two opposite corners y, x, y, x; or x, y of the centre, width, height if `isCentered`.
///   - scores: (S)
///   - limit: of how many boxes are kept.
///   - overlap: a box is dropped if intersection over union with a kept one exceeds this.
///   - threshold: what a score must exceed.
/// - Returns: boxes by descending score, of equal ones the first in front.
@inline(never) @export(interface)
public func nonMaxSuppression(
  _ boxes: UnsafePointer<Float>, _ scores: UnsafePointer<Float>, _ count: Int, isCentered: Bool, limit: Int64,
  overlap: Float, threshold: Float
) -> [Int] {
  var candidates: [Int] = []
  for index in 0..<count where scores[index] > threshold { candidates.append(index) }
  let order = sortedIndices(candidates.count) {
    let (a, b) = (scores[candidates[$0]], scores[candidates[$1]])
    return a != b ? a > b : $0 < $1
  }
  var kept: [Int] = []
  var keptBoxes: [Box] = []
  for position in order {
    if Int64(kept.count) >= limit { break }
    let box = Box(boxes + candidates[position] &* 4, isCentered)
    var isFree = true
    for other in keptBoxes where box.intersectionOverUnion(other) > overlap {
      isFree = false
      break
    }
    if isFree {
      kept.append(candidates[position])
      keptBoxes.append(box)
    }
  }
  return kept
}

private struct Box {
  var top: Float
  var left: Float
  var bottom: Float
  var right: Float

  init(_ numbers: UnsafePointer<Float>, _ isCentered: Bool) {
    if isCentered {
      let (halfWidth, halfHeight) = (numbers[2] / 2, numbers[3] / 2)
      (left, right) = (numbers[0] - halfWidth, numbers[0] + halfWidth)
      (top, bottom) = (numbers[1] - halfHeight, numbers[1] + halfHeight)
    } else {
      (top, bottom) = numbers[0] <= numbers[2] ? (numbers[0], numbers[2]) : (numbers[2], numbers[0])
      (left, right) = numbers[1] <= numbers[3] ? (numbers[1], numbers[3]) : (numbers[3], numbers[1])
    }
  }

  private var area: Float { (bottom - top) * (right - left) }

  /// 0 for boxes that do not touch or have no area.
  func intersectionOverUnion(_ other: Box) -> Float {
    let height = min(bottom, other.bottom) - max(top, other.top)
    let width = min(right, other.right) - max(left, other.left)
    guard height > 0, width > 0, area > 0, other.area > 0 else { return 0 }
    let common = height * width
    return common / (area + other.area - common)
  }
}
