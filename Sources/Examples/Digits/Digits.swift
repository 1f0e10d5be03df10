import CZstd
import NNGraph

/// The handwritten digits that the package carries: 1,797 images of 8×8 pixels. SOURCE.md beside this file names source and
/// licence.
public enum Digits {
  public static let count = 1797
  /// Pixels of one image: 8 rows of 8.
  public static let pixelCount = 64
  public static let licence = "CC BY 4.0"
  public static let source =
    "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998, doi:10.24432/C50P49"

  /// All images, (1797, 64) row-major, each pixel 0 (paper) to 16 (ink), and the digit each one shows.
  ///
  /// - Throws: ``ErrorCode/corruptFile`` if the embedded data do not decompress to what was packed.
  public static func load() throws(NNError) -> (pixels: [Float], labels: [Int]) {
    let packed = PackageResources.digits_zst
    let expected = (pixelCount + 1) * count
    var columns = [UInt8](repeating: 0, count: expected)
    let size = columns.withUnsafeMutableBytes { target in
      packed.withUnsafeBytes { ZSTD_decompress(target.baseAddress, expected, $0.baseAddress, $0.count) }
    }
    guard ZSTD_isError(size) == 0, size == expected else {
      throw NNError(.corruptFile, "the embedded digits are damaged")
    }
    var pixels: [Float] = []
    pixels.reserveCapacity(count * pixelCount)
    for image in 0..<count {
      for pixel in 0..<pixelCount { pixels.append(Float(columns[pixel * count + image])) }
    }
    return (pixels, columns[(pixelCount * count)...].map { Int($0) })
  }
}
