import Examples
import Testing

@Test func theDigitsAreThoseOfTheSource() throws {
  let (pixels, labels) = try Digits.load()
  #expect(pixels.count == 1797 * 64 && labels.count == 1797)
  // The counts per class that the source's documentation gives.
  #expect(
    (0..<10).map { digit in labels.count { $0 == digit } } == [
      178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ])
  #expect(pixels.min() == 0 && pixels.max() == 16)
  // The first image, a zero, as printed in scikit-learn's documentation.
  #expect(Array(pixels[..<16]) == [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0])
  #expect(Array(labels[..<10]) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
}
