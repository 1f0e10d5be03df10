import NNGraph

/// Which number of a model's output is explained, sample by sample.
public enum ScoreChoice: Equatable, Sendable {
  /// The largest: the class that the model says.
  case largest
  /// The same index of the output for all samples, counted in row-major order.
  case index(Int)
  /// An index for each sample.
  case indices([Int])
}

/// How much each number of some samples, or each place of some images, has to do with a score.
public struct Attributions: Equatable, Sendable {
  /// (N, …): (N, sample…) where every number has its own, (N, H, W) where each place of an image has one.
  public let extents: [Int]
  /// Row-major.
  public let values: [Float]
  /// The index of the output that was explained, for each sample.
  public let explained: [Int]

  /// Numbers of one sample.
  public var width: Int { extents.dropFirst().reduce(1, *) }

  /// The numbers of one sample; none for an index out of range.
  public subscript(sample index: Int) -> ArraySlice<Float> {
    guard index >= 0, index < (extents.first ?? 0) else { return [] }
    return values[index * width..<(index + 1) * width]
  }

  /// |a| of each number; of attributions to images (N, C, H, W) the largest over the channels, (N, H, W), as Simonyan,
  /// Vedaldi and Zisserman 2013, section 3.1, draw them.
  public var magnitudes: Attributions {
    guard extents.count == 4 else {
      return Attributions(extents: extents, values: values.map { $0.magnitude }, explained: explained)
    }
    let (channels, area) = (extents[1], extents[2] * extents[3])
    var maps: [Float] = []
    maps.reserveCapacity(extents[0] * area)
    for sample in 0..<extents[0] {
      for place in 0..<area {
        var largest: Float = 0
        for channel in 0..<channels {
          largest = max(largest, values[(sample * channels + channel) * area + place].magnitude)
        }
        maps.append(largest)
      }
    }
    return Attributions(extents: [extents[0], extents[2], extents[3]], values: maps, explained: explained)
  }
}
