/// How numbers from 0 to 1 become colours. All but gray can be told apart with every kind of colour blindness.
public enum ColorMap: Equatable, Sendable {
  /// Black to white.
  case gray
  /// Dark violet over green to yellow, evenly brighter: for amounts. Anchors of Smith and van der Walt's "viridis".
  case sequential
  /// Blue over white to orange, the middle at ½: for numbers around zero.
  case diverging

  private var anchors: [(red: Float, green: Float, blue: Float)] {
    switch self {
    case .gray: [(0, 0, 0), (255, 255, 255)]
    case .sequential: [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)]
    case .diverging: [(5, 72, 130), (107, 167, 214), (247, 247, 247), (240, 163, 92), (166, 71, 0)]
    }
  }

  /// Red, green and blue of a number; those below 0, above 1 and NaN take the colour of 0 or 1.
  public func color(_ number: Float) -> (red: UInt8, green: UInt8, blue: UInt8) {
    let anchors = anchors
    let position = (number > 0 ? min(number, 1) : 0) * Float(anchors.count - 1)
    let low = min(Int(position), anchors.count - 2)
    let part = position - Float(low)
    func mix(_ a: Float, _ b: Float) -> UInt8 { UInt8(min(max((a + (b - a) * part).rounded(), 0), 255)) }
    let (a, b) = (anchors[low], anchors[low + 1])
    return (mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue))
  }
}
