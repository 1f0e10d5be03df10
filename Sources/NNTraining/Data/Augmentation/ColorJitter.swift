import NNGraph

/// Changes brightness, contrast and saturation by random factors, in random order, as torchvision's transform of this name does
/// (hue apart).
///
/// Each factor is uniform between max(0, 1 − x) and 1 + x, and results are kept between 0 and `maximum`. With m the mean of the
/// image's gray values and g a pixel's own, brightness is f·p, contrast f·p + (1 − f)·m and saturation f·p + (1 − f)·g; gray is
/// 0.2989 R + 0.587 G + 0.114 B.
public struct ColorJitter: Augmentation {
  public let brightness: Float
  public let contrast: Float
  public let saturation: Float
  /// White: 255, or 1 for images that were brought into that range.
  public let maximum: Float

  public var movesPixels: Bool { false }

  public func require(sampleShape: [Int]) throws(NNError) {
    try requireImages(sampleShape)
    for (name, amount) in [("brightness", brightness), ("contrast", contrast), ("saturation", saturation)]
    where !(amount >= 0 && amount.isFinite) {
      throw NNError(.invalidArgument, "a \(name) of \(amount); factors are between 1 minus and 1 plus it")
    }
    guard maximum > 0, maximum.isFinite else {
      throw NNError(.invalidArgument, "white of \(maximum), not above 0")
    }
    guard sampleShape[0] == 3 || (sampleShape[0] == 1 && saturation == 0) else {
      throw NNError(
        .shapeMismatch,
        "takes colours (3, H, W), or (1, H, W) without saturation, not \(Shape(sampleShape).description)")
    }
  }

  public func augment(_ image: ImageSample, using generator: inout Philox) {
    for change in [0, 1, 2].shuffled(using: &generator) {
      switch change {
      case 0: if brightness > 0 { changeBrightness(image, factor(brightness, &generator)) }
      case 1: if contrast > 0 { changeContrast(image, factor(contrast, &generator)) }
      default: if saturation > 0 { changeSaturation(image, factor(saturation, &generator)) }
      }
    }
  }

  private func factor(_ amount: Float, _ generator: inout Philox) -> Float {
    let least = max(0, 1 - Double(amount))
    return Float(least + generator.uniform() * (1 + Double(amount) - least))
  }

  private func bounded(_ value: Float) -> Float { min(max(value, 0), maximum) }

  private func gray(_ image: ImageSample, _ position: Int) -> Float {
    guard image.channels == 3 else { return image.pixels[position] }
    let area = image.height * image.width
    return 0.2989 * image.pixels[position] + 0.587 * image.pixels[area + position]
      + 0.114 * image.pixels[2 * area + position]
  }

  func changeBrightness(_ image: ImageSample, _ factor: Float) {
    for index in image.pixels.indices { image.pixels[index] = bounded(factor * image.pixels[index]) }
  }

  func changeContrast(_ image: ImageSample, _ factor: Float) {
    let area = image.height * image.width
    var sum = 0.0
    for position in 0..<area { sum += Double(gray(image, position)) }
    let mean = Float(sum / Double(max(area, 1)))
    for index in image.pixels.indices {
      image.pixels[index] = bounded(factor * image.pixels[index] + (1 - factor) * mean)
    }
  }

  func changeSaturation(_ image: ImageSample, _ factor: Float) {
    let area = image.height * image.width
    for position in 0..<area {
      let gray = gray(image, position)
      for channel in 0..<image.channels {
        let index = channel * area + position
        image.pixels[index] = bounded(factor * image.pixels[index] + (1 - factor) * gray)
      }
    }
  }
}

extension Augmentation where Self == ColorJitter {
  public static func colorJitter(
    brightness: Float = 0, contrast: Float = 0, saturation: Float = 0, maximum: Float = 255
  ) -> ColorJitter {
    ColorJitter(brightness: brightness, contrast: contrast, saturation: saturation, maximum: maximum)
  }
}
