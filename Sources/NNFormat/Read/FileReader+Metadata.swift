import NNGraph

extension FileReader {
  func readMetadata() throws(NNError) -> Metadata {
    var metadata = Metadata()
    guard let section = section(.metadata) else { return metadata }
    var reader = try open(section, .metadata)
    let count = try reader.count(of: "entries", minimumSize: 2)
    guard count > 0, count <= Format.maximumMetadataCount else {
      throw reader.corrupt("\(count) entries; a metadata section has 1 to \(Format.maximumMetadataCount)")
    }
    try budget.take(3 * count, of: Name.self, for: "\(count) metadata entries")
    var keys: [Name] = []
    for _ in 0..<count {
      let key = try readName(&reader)
      guard !key.isEmpty else { throw reader.corrupt("an empty key") }
      let value = try readName(&reader, atMost: Format.maximumSectionSize)
      metadata.appendUnchecked(key, value)
      keys.append(key)
    }
    try reader.finish()
    if let key = Name.firstDuplicate(among: keys) {
      throw NNError(.corruptFile, "metadata: two entries with the key \(key.quoted)")
    }
    return metadata
  }
}
