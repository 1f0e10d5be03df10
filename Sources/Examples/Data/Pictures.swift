import ImageFiles
import NNGraph
import NNTraining

extension ExampleRun {
  /// Writes gray images as one PNG file to the run's folder for pictures, if it has one.
  func picture(
    _ name: String, _ images: [Float], height: Int, width: Int, columns: Int,
    range: ClosedRange<Float> = 0...1,
    scale: Int = 3
  ) throws(NNError) {
    guard let artifactFolder else { return }
    let grid = try PictureGrid.gray(
      images, height: height, width: width, columns: columns, range: range, scale: scale)
    let path = artifactFolder + "/" + name + ".png"
    try PNG.write(width: grid.width, height: grid.height, channels: 1, pixels: grid.pixels, to: path)
    say("picture: \(path)")
  }
}
