import NNGraph

// Printing fractions brings tables along, so the lean layers below have no such interpolations.
extension Message.Pieces {
  public mutating func appendInterpolation(_ value: Float) { appendInterpolation(value.description) }

  public mutating func appendInterpolation(_ value: Double) { appendInterpolation(value.description) }
}
