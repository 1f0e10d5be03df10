import ImageFiles
import NNGraph

/// How an image gets another size.
public enum ImageResizing: Equatable, Sendable {
  /// An axis that shrinks takes the mean over the part of the image that each new pixel covers, fractions of pixels included; one
  /// that grows is interpolated. Keeps fine structures from turning into noise.
  case area
  /// Between the four nearest pixels, whose centres are at half integers, whatever the factor: PyTorch's
  /// `interpolate(mode="bilinear", align_corners=False)`.
  case bilinear
}

/// Numbers of an image: planes (C, H, W) row-major.
struct ImagePlanes: Equatable {
  var channels: Int
  var height: Int
  var width: Int
  var values: [Float]
}

extension ImagePlanes {
  /// Gray or colours of an image, 0…255; what is transparent is taken as if it were not.
  init(_ image: RasterImage) {
    let colours = image.channels >= 3 ? 3 : 1
    let area = image.width * image.height
    var values = [Float](repeating: 0, count: colours * area)
    image.pixels.withUnsafeBufferPointer { pixels in
      for channel in 0..<colours {
        for position in 0..<area {
          values[channel * area + position] = Float(pixels[position * image.channels + channel])
        }
      }
    }
    self.init(channels: colours, height: image.height, width: image.width, values: values)
  }

  /// Whether all channels are the same.
  var isGray: Bool {
    let area = height * width
    return channels == 1
      || (0..<area).allSatisfy { values[$0] == values[area + $0] && values[$0] == values[2 * area + $0] }
  }

  /// One channel: 0.299 R + 0.587 G + 0.114 B, the luma of ITU-R BT.601, or what gray pixels are.
  var gray: ImagePlanes {
    guard channels == 3 else { return self }
    let area = height * width
    let luma = (0..<area).map { index -> Float in
      let (r, g, b) = (values[index], values[area + index], values[2 * area + index])
      return r == g && g == b ? r : Float((299 * Double(r) + 587 * Double(g) + 114 * Double(b)) / 1000)
    }
    return ImagePlanes(channels: 1, height: height, width: width, values: luma)
  }

  /// Three equal channels of a gray image.
  var colour: ImagePlanes {
    guard channels == 1 else { return self }
    return ImagePlanes(channels: 3, height: height, width: width, values: values + values + values)
  }

  /// The image in another size; both extents are at least 1.
  func resized(height newHeight: Int, width newWidth: Int, _ resizing: ImageResizing) -> ImagePlanes {
    if newHeight == height && newWidth == width { return self }
    let rows = ResizingAxis(from: height, to: newHeight, resizing)
    let columns = ResizingAxis(from: width, to: newWidth, resizing)
    var result = [Float](repeating: 0, count: channels * newHeight * newWidth)
    var narrow = [Double](repeating: 0, count: height * newWidth)
    for channel in 0..<channels {
      let base = channel * height * width
      for y in 0..<height {
        for x in 0..<newWidth {
          narrow[y * newWidth + x] = columns.sum(x) { Double(values[base + y * width + $0]) }
        }
      }
      for y in 0..<newHeight {
        for x in 0..<newWidth {
          result[(channel * newHeight + y) * newWidth + x] = Float(rows.sum(y) { narrow[$0 * newWidth + x] })
        }
      }
    }
    return ImagePlanes(channels: channels, height: newHeight, width: newWidth, values: result)
  }
}

/// What each new pixel of an axis is made of: some old ones in a row with weights whose sum is 1.
struct ResizingAxis {
  private(set) var spans: [(first: Int, weights: [Double])] = []

  init(from old: Int, to new: Int, _ resizing: ImageResizing) {
    let scale = Double(old) / Double(new)
    for index in 0..<new {
      if resizing == .area, new < old {
        let (start, end) = (Double(index) * scale, min(Double(index + 1) * scale, Double(old)))
        let (first, last) = (Int(start), min(Int(end.rounded(.up)), old) - 1)
        let covered = (first...max(first, last)).map { pixel in
          max(min(end, Double(pixel + 1)) - max(start, Double(pixel)), 0)
        }
        let whole = covered.reduce(0, +)
        spans.append((first, covered.map { $0 / whole }))
      } else {
        let centre = max((Double(index) + 0.5) * scale - 0.5, 0)
        let first = min(Int(centre), old - 1)
        let share = first + 1 < old ? centre - Double(first) : 0
        spans.append((first, share == 0 ? [1] : [1 - share, share]))
      }
    }
  }

  func sum(_ index: Int, _ value: (Int) -> Double) -> Double {
    let (first, weights) = spans[index]
    var total = 0.0
    for offset in weights.indices { total += weights[offset] * value(first + offset) }
    return total
  }
}
