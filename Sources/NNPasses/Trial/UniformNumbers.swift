/// Uniform numbers in [0, 1) for trying models out: Knuth's MMIX generator, whose upper bits are good enough for that.
public struct UniformNumbers {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) * 0x1p-24
  }
}
