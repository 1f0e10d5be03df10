import Files
import ImageFiles
import NNGraph

/// A folder of images, one folder in it for each class: `root/cat/1.png`, `root/dog/7.jpg`.
///
/// Classes are numbered in the order of their folders' names, images follow each other in the order of theirs, both by bytes. What
/// begins with a dot and files that end in none of ``ImageFile/nameEndings`` are passed over.
public struct ImageFolder: Sendable {
  /// Samples (C, H, W) of numbers 0…255, with classes.
  public let dataset: Dataset
  /// The folders' names: class i is `classNames[i]`.
  public let classNames: [String]
  /// The path of each sample's file.
  public let files: [String]
  /// How many files were passed over for what their names end in.
  public let skipped: Int

  /// Numbers that all images together may have: 4 GiB of them.
  private static let mostNumbers = 1 << 30

  /// Reads all images. PNG and JPEG; transparency is left out.
  ///
  /// - Parameters:
  ///   - size: the size that all images get, stretched if need be; nil if they have the same already.
  ///   - channels: 1 for gray, 3 for colours; nil for gray if no image has colours, else colours.
  ///   - limit: the most bytes of pixels a file may have, as in ``ImageFile/read(_:limit:)``.
  /// - Throws: ``ErrorCode/fileAccess``; ``ErrorCode/corruptFile`` naming the file for one that is no image;
  ///   ``ErrorCode/shapeMismatch`` naming the file for one of another size; ``ErrorCode/invalidArgument`` if there is no class, or
  ///   naming the one without images;
  ///   ``ErrorCode/limitExceeded`` if all images together are more than 2³⁰ numbers.
  public init(
    path root: String, size: Extent2D? = nil, resizing: ImageResizing = .area, channels: Int? = nil,
    limit: Int = ImageFile.defaultLimit
  ) throws(NNError) {
    if let size { try ImageFolder.require(size) }
    guard channels == nil || channels == 1 || channels == 3 else {
      throw NNError(.invalidArgument, "images have 1 or 3 channels, not \(channels ?? 0)")
    }
    let top = try ImageFolder.visible(root)
    let folders = top.filter { WholeFile.isFolder(root + "/" + $0) }
    guard !folders.isEmpty else {
      throw NNError(.invalidArgument, "\(root): there is no folder in it; each class has one with its images")
    }
    var skipped = top.count - folders.count
    var namesOfClasses: [[String]] = []
    for folder in folders {
      let all = try ImageFolder.visible(root + "/" + folder)
      let names = all.filter(ImageFolder.isImage)
      guard !names.isEmpty else {
        throw NNError(.invalidArgument, "\(root)/\(folder): the class has no .png, .jpg or .jpeg file")
      }
      skipped += all.count - names.count
      namesOfClasses.append(names)
    }
    self.skipped = skipped
    let total = namesOfClasses.reduce(0) { $0 + $1.count }
    var (images, files, classes): ([ImagePlanes], [String], [Int]) = ([], [], [])
    for (label, folder) in folders.enumerated() {
      for name in namesOfClasses[label] {
        let path = root + "/" + folder + "/" + name
        var image = ImagePlanes(try ImageFile.read(path, limit: limit))
        if channels == 1 || image.isGray { image = image.gray }
        let extent = size ?? Extent2D(image.height, image.width)
        guard total <= ImageFolder.mostNumbers / (extent.height * extent.width * image.channels) else {
          throw NNError(
            .limitExceeded,
            "\(root): \(total) images of \(extent.width) x \(extent.height) pixels are more than \(ImageFolder.mostNumbers) numbers; "
              + "choose a smaller size")
        }
        if let size { image = image.resized(height: size.height, width: size.width, resizing) }
        if let first = images.first, (image.height, image.width) != (first.height, first.width) {
          throw NNError(
            .shapeMismatch,
            "\(path): \(image.width) x \(image.height) pixels, the images before have \(first.width) x \(first.height); give a size that all get"
          )
        }
        images.append(image)
        files.append(path)
        classes.append(label)
      }
    }
    let isGray = channels == 1 || (channels == nil && images.allSatisfy { $0.channels == 1 })
    let shape = [isGray ? 1 : 3, images[0].height, images[0].width]
    var features: [Float] = []
    features.reserveCapacity(images.count * shape.reduce(1, *))
    for image in images { features += isGray ? image.values : image.colour.values }
    dataset = try Dataset(features: features, sampleShape: shape, targets: .classes(classes))
    classNames = folders
    self.files = files
  }

  private static func visible(_ folder: String) throws(NNError) -> [String] {
    try WholeFile.names(inFolder: folder).filter { !$0.hasPrefix(".") }
  }

  private static func isImage(_ name: String) -> Bool {
    ImageFile.nameEndings.contains { name.lowercased().hasSuffix($0) }
  }

  private static func require(_ size: Extent2D) throws(NNError) {
    guard (1...1 << 14).contains(size.height), (1...1 << 14).contains(size.width) else {
      throw NNError(
        .invalidArgument, "images of \(size.width) x \(size.height) pixels; each extent is 1 to 16384")
    }
  }
}
