import Foundation
import NNGraph
import Reference

/// What `Golden/make_golden.py` and its neighbours wrote: PyTorch's numbers, in float64.
struct Golden: Decodable {
  struct Numbers: Decodable {
    let shape: [Int]
    let values: [Double]

    var tensor: ReferenceTensor { ReferenceTensor(values, extents: shape) }
    var classes: ReferenceTensor { ReferenceTensor(integers: values.map { Int64($0) }, extents: shape) }
  }

  struct LayerCase: Decodable {
    let name: String
    let input: Numbers
    let parameters: [String: Numbers]
    let upstream: Numbers
    let output: Numbers
    let inputGradient: Numbers
    let parameterGradients: [String: Numbers]
    let updated: [String: Numbers]?
  }

  struct LossCase: Decodable {
    let name: String
    let prediction: Numbers
    let target: Numbers
    let loss: Double
    let gradient: Numbers
  }

  struct Optimizers: Decodable {
    struct Case: Decodable {
      let name: String
      let steps: [Numbers]
    }
    let start: Numbers
    let gradients: [Numbers]
    let cases: [Case]
  }

  struct Clipping: Decodable {
    struct Case: Decodable {
      let name: String
      let bound: Float
      let clipped: [Numbers]
    }
    let gradients: [Numbers]
    let cases: [Case]
  }

  let layers: [LayerCase]
  let losses: [LossCase]
  let optimizers: Optimizers
  let clipping: Clipping

  static let shared: Golden = load("golden.json")

  /// The layers of all files.
  static let allLayers: [LayerCase] = shared.layers + load("layers.json", as: LayerFile.self).layers

  /// The losses of all files.
  static let allLosses: [LossCase] = shared.losses + further.losses

  static let further: Further = load("losses.json")

  /// What `make_losses.py` wrote.
  struct Further: Decodable {
    struct Metrics: Decodable {
      let truth, confusion, binary: [Int]
      let scores, precision, recall, f1, iou, ranked, values, expected: [Double]
      let top2, auc, r2, rmse, mae: Double
    }
    let losses: [LossCase]
    let optimizers: Optimizers
    let schedules: [String: [Double]]
    let metrics: Metrics
  }

  static let images: Images = load("images.json")

  /// What `make_images.py` wrote.
  struct Images: Decodable {
    struct Resized: Decodable {
      let input, area, bilinear: Numbers
    }
    struct Rotated: Decodable {
      let input, output: Numbers
      let degrees: Double
      let fill: Float
    }
    struct Colours: Decodable {
      let name: String
      let factor: Float
      let input, output: Numbers
    }
    let resized: [Resized]
    let rotated: [Rotated]
    let colours: [Colours]
  }

  /// What `make_weights.py` wrote.
  struct NetworkCase: Decodable {
    let input, output: Numbers
  }

  static let weights: [String: NetworkCase] = load("weights.json")

  private struct LayerFile: Decodable {
    let layers: [LayerCase]
  }

  /// A file beside this one.
  static func load<Content: Decodable>(_ name: String, as: Content.Type = Content.self) -> Content {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Golden/" + name)
    do {
      return try JSONDecoder().decode(Content.self, from: Data(contentsOf: file))
    } catch {
      fatalError("\(file.path): \(error)")
    }
  }
}

/// The largest |actual − expected| relative to the largest |expected|, or to `floor` if all are smaller; infinity for
/// different counts or for a NaN.
func relativeDifference(_ actual: [Double], _ expected: [Double], floor: Double = 1e-12) -> Double {
  guard actual.count == expected.count else { return .infinity }
  let scale = expected.map(\.magnitude).max() ?? 0
  var worst = 0.0
  for (a, b) in zip(actual, expected) {
    guard (a - b).isFinite else { return .infinity }
    worst = max(worst, (a - b).magnitude)
  }
  return worst == 0 ? 0 : worst / max(scale, floor)
}
