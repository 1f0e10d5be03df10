import ImageFiles
import NNGraph

// What a model has learned, as pictures.
extension TrainedModel {
  /// What the first layer with weights looks for, as a picture of its filters or units.
  ///
  /// A convolution over one channel (filters, 1, kH, kW) gives a picture for each filter; one over three channels gives them
  /// in colour; of more channels each has a picture of its own, a row for each filter. A dense layer (K, units) over images
  /// gives a picture of the weights of each unit.
  ///
  /// - Parameters:
  ///   - layer: the layer's name; nil for the first that has such weights.
  ///   - imageShape: (C, H, W) or (H, W) of the images that a dense layer takes; nil for the shape of the samples.
  ///   - colors: of filters of one channel. Zero is in the middle, the largest |w| of all at the ends.
  ///   - limit: the most filters or units that are shown, the first ones.
  ///   - scale: pixels for each weight in each direction; nil to make them a few hundred altogether.
  /// - Throws: ``ErrorCode/invalidArgument`` if there is no such layer, ``ErrorCode/shapeMismatch`` if its weights are no
  ///   pictures.
  public func filterPicture(
    layer: String? = nil, imageShape: [Int]? = nil, colors: ColorMap = .gray, limit: Int = 64,
    scale: Int? = nil
  ) throws(NNError) -> RasterImage {
    guard limit >= 1 else { throw NNError(.invalidArgument, "a picture of \(limit) filters") }
    let weight = try firstWeight(layer)
    let filters = try Filters(weight, imageShape: imageShape ?? sampleShape, limit: limit)
    // Symmetric around zero, so that the middle of the colours means no weight.
    let largest = max(filters.values.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }, 1e-12)
    let columns = filters.channels > 3 ? filters.channels : PictureGrid.columns(filters.count)
    let scale = scale ?? PictureGrid.scale(columns: columns, width: filters.width)
    if filters.channels == 3 {
      return try PictureGrid.color(
        filters.values, height: filters.height, width: filters.width, columns: columns,
        range: -largest...largest, scale: scale, gap: max(scale / 4, 1))
    }
    return try PictureGrid.mapped(
      filters.values, height: filters.height, width: filters.width, columns: columns, colors: colors,
      range: -largest...largest, scale: scale, gap: max(scale / 4, 1))
  }

  /// The weight (filters, C, kH, kW) or (K, units) of a layer, or of the first that has one.
  func firstWeight(_ layer: String? = nil) throws(NNError) -> Parameter {
    let traced = try TracedModel(self)
    let weights = traced.trace.parameters.map { $0.parameter }.filter { parameter in
      parameter.name.string.hasSuffix(".weight") && [2, 4].contains(parameter.extents.count)
    }
    guard let layer else {
      guard let first = weights.first else {
        throw NNError(
          .invalidArgument, "the model has no convolution or dense layer whose weights can be shown")
      }
      return first
    }
    guard let own = weights.first(where: { $0.name.string == layer + ".weight" }) else {
      throw NNError(
        .invalidArgument, "there is no convolution or dense layer \"\(layer)\" with weights to show")
    }
    return own
  }

  /// The feature maps that a layer gives for one sample, each a picture, in the colours of ``ColorMap/sequential`` from the
  /// least number of all to the largest.
  ///
  /// - Parameters:
  ///   - sample: one image.
  ///   - limit: the most maps that are shown, the first ones.
  /// - Throws: ``ErrorCode/invalidArgument`` if there is no such layer, ``ErrorCode/shapeMismatch`` for anything but one
  ///   sample and a layer that gives maps (N, C, h, w).
  public func featureMapPicture(
    layer: String, for sample: [Float], limit: Int = 64, scale: Int? = nil
  ) throws(NNError) -> RasterImage {
    guard limit >= 1 else { throw NNError(.invalidArgument, "a picture of \(limit) feature maps") }
    let calls = try activations(of: [layer], for: sample)
    let maps = calls[calls.count - 1]
    guard maps.extents.count == 4, maps.extents[0] == 1, maps.width >= 1 else {
      throw NNError(
        .shapeMismatch,
        "layer \"\(layer)\" gives \(Shape(maps.extents).description), not feature maps (1, C, h, w) of one sample"
      )
    }
    let count = min(maps.extents[1], limit)
    let values = Array(maps.values.prefix(count * maps.extents[2] * maps.extents[3]))
    let finite = values.filter { $0.isFinite }
    let low = finite.min() ?? 0
    let columns = PictureGrid.columns(count)
    let scale = scale ?? PictureGrid.scale(columns: columns, width: maps.extents[3])
    return try PictureGrid.mapped(
      values, height: maps.extents[2], width: maps.extents[3], columns: columns, colors: .sequential,
      range: low...(finite.max() ?? low),
      scale: scale, gap: max(scale / 4, 1))
  }
}

/// Weights as images one after the other.
private struct Filters {
  var values: [Float]
  /// 1, or 3 if each image is (3, H, W); more if each channel is an image of its own.
  let channels: Int
  let height: Int
  let width: Int
  /// Images that are not channels of one.
  let count: Int

  init(_ weight: Parameter, imageShape: [Int], limit: Int) throws(NNError) {
    if weight.extents.count == 4 {
      count = min(weight.extents[0], limit)
      channels = weight.extents[1]
      (height, width) = (weight.extents[2], weight.extents[3])
      values = Array(weight.values.prefix(count * channels * height * width))
    } else {
      let (inputs, units) = (weight.extents[0], weight.extents[1])
      let plane = imageShape.count == 2 ? [1] + imageShape : imageShape
      guard plane.count == 3, Shape(plane).elementCount == inputs, inputs >= 1 else {
        throw NNError(
          .shapeMismatch,
          "\(weight.name.quoted) has \(inputs) weights a unit, which are no image \(Shape(imageShape).description)"
        )
      }
      count = min(units, limit)
      channels = plane[0]
      (height, width) = (plane[1], plane[2])
      values = []
      for unit in 0..<count {
        for input in 0..<inputs { values.append(weight.values[input * units + unit]) }
      }
    }
    guard count >= 1 else {
      throw NNError(.shapeMismatch, "\(weight.name.quoted) has no weights to show")
    }
  }
}

extension PictureGrid {
  /// Columns that make a grid of `count` pictures about twice as wide as high, or somewhat less wide if that leaves fewer
  /// places empty.
  static func columns(_ count: Int) -> Int {
    var most = 1
    while most * most < 2 * count, most < count { most += 1 }
    func empty(_ columns: Int) -> Int { (count + columns - 1) / columns * columns - count }
    return (max(most * 6 / 10, 1)...most).reversed().min { empty($0) < empty($1) } ?? 1
  }

  /// The scale at which a row of pictures is about 420 pixels wide, 1…16.
  static func scale(columns: Int, width: Int) -> Int {
    min(max(420 / max(columns, 1) / max(width, 1), 1), 16)
  }
}
