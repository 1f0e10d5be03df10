import Foundation
import NNGraph

extension ReferenceTensor {
  /// Element i of the stream is word i mod 4 of Philox block i / 4; normal numbers are made of neighbouring pairs.
  static func random(_ function: RandomFunction, key: ReferenceTensor, stream: UInt32, _ extents: [Int])
    -> ReferenceTensor
  {
    let seed = UInt64(bitPattern: key.integers[0])
    let step = UInt64(bitPattern: key.integers[1])
    let count = extents.reduce(1, *)
    let values = (0..<count).map { i -> Double in
      let block = UInt64(i / 4)
      let words = philox4x32x10(
        counter: [
          UInt32(truncatingIfNeeded: block), UInt32(block >> 32), stream, UInt32(truncatingIfNeeded: step),
        ],
        key: [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)])
      switch function {
      case .uniform: return Double(words[i % 4] >> 8) * 0x1p-24
      case .normal:
        let pair = i % 4 / 2 * 2
        // Box and Muller 1958; the first number is in (0, 1], so that its logarithm is finite.
        let radius = (-2 * log((Double(words[pair] >> 8) + 1) * 0x1p-24)).squareRoot()
        let angle = 2 * Double.pi * Double(words[pair + 1] >> 8) * 0x1p-24
        return radius * (i % 2 == 0 ? cos(angle) : sin(angle))
      }
    }
    return ReferenceTensor(values, extents: extents)
  }
}

/// The Philox-4x32-10 function of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011),
/// section 3.3: four random words for four counter words and two key words.
public func philox4x32x10(counter: [UInt32], key: [UInt32]) -> [UInt32] {
  var x = counter
  var (k0, k1) = (key[0], key[1])
  for _ in 0..<10 {
    let a = x[0].multipliedFullWidth(by: 0xD251_1F53)
    let b = x[2].multipliedFullWidth(by: 0xCD9E_8D57)
    x = [b.high ^ x[1] ^ k0, b.low, a.high ^ x[3] ^ k1, a.low]
    k0 &+= 0x9E37_79B9
    k1 &+= 0xBB67_AE85
  }
  return x
}
