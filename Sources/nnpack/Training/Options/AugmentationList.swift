import ArgumentParser
import NNTraining

/// Random changes of images by their names: `flip,shift=2,mixup=0.2`.
struct AugmentationList: ExpressibleByArgument {
  /// A change and how strong it is.
  private struct Item {
    let name: String
    let amount: Double
  }

  private let items: [Item]

  /// What each change is called, with its usual strength and the range it may have.
  private static let known: [(name: String, usual: Double, range: ClosedRange<Double>)] = [
    ("flip", 0.5, 0...1), ("vflip", 0.5, 0...1), ("crop", 4, 0...4096), ("shift", 2, 0...4096),
    ("rotate", 10, 0...180), ("noise", 8, 0...255), ("color", 0.2, 0...10), ("mixup", 0.2, 0.001...1000),
    ("cutmix", 1, 0.001...1000),
  ]

  init?(argument: String) {
    var items: [Item] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let pieces = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let known = AugmentationList.known.first(where: { $0.name == pieces[0] }),
        !items.contains(where: { $0.name == known.name })
      else { return nil }
      var amount = known.usual
      if pieces.count == 2 {
        guard let given = Double(String(pieces[1])) else { return nil }
        amount = given
      }
      guard known.range.contains(amount) else { return nil }
      items.append(Item(name: known.name, amount: amount))
    }
    self.items = items
  }

  static var help: String {
    known.map { $0.usual == $0.usual.rounded() ? "\($0.name)=\(Int($0.usual))" : "\($0.name)=\($0.usual)" }
      .joined(separator: ",")
  }

  /// The changes for images of pixels 0 to 255.
  ///
  /// - Parameter channels: colours, of which gray images have no saturation.
  func augmentations(channels: Int) -> [any Augmentation] {
    var result: [any Augmentation] = []
    var mixtures: [any Augmentation] = []
    for item in items {
      let amount = item.amount
      switch item.name {
      case "flip": result.append(.flip(horizontal: amount))
      case "vflip": result.append(.flip(horizontal: 0, vertical: amount))
      // With a black border it would be a shift.
      case "crop": result.append(.crop(padding: Int(amount), border: .reflect))
      case "shift": result.append(.shift(Int(amount)))
      case "rotate": result.append(.rotation(degrees: amount))
      case "noise": result.append(.noise(Float(amount)))
      case "color":
        let strength = Float(amount)
        result.append(
          .colorJitter(
            brightness: strength, contrast: strength, saturation: channels == 3 ? strength : Float(0)))
      case "mixup": mixtures.append(.mixUp(alpha: amount))
      default: mixtures.append(.cutMix(alpha: amount))
      }
    }
    // A batch is mixed in one way.
    return result + (mixtures.count == 2 ? [.oneOf(mixtures[0], mixtures[1])] : mixtures)
  }
}

/// The size that images get: a number for both sides, or rows and columns, as `32x48`.
struct SizeArgument: ExpressibleByArgument {
  let size: Extent2D

  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard let height = parts[0], let width = parts.count == 2 ? parts[1] : height, parts.count <= 2,
      (1...1 << 14).contains(height), (1...1 << 14).contains(width)
    else { return nil }
    size = Extent2D(height, width)
  }
}
