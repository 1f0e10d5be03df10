import NNGraph

/// Where the bytes of a file are: header, sections and padding add up to the file, tensors and their padding to the data
/// section.
public struct FileLayout: Sendable {
  public struct Section: Sendable {
    /// nil for a kind that this version does not know.
    public var kind: SectionKind?
    /// The kind's number.
    public var number: UInt32
    public var isRequired: Bool
    public var codec: StorageCodec
    public var offset: Int
    public var storedBytes: Int
    /// Bytes once decompressed; the data section counts as stored, its tensors tell more.
    public var rawBytes: Int
  }

  public struct StoredTensor: Sendable {
    public var name: Name
    public var dtype: DType
    public var extents: [Int]
    public var layout: TensorLayout
    public var codec: StorageCodec
    public var offset: Int
    public var storedBytes: Int
    /// Bytes in memory, which for panels includes the columns that fill up the last one.
    public var rawBytes: Int
  }

  public var version: Int
  public var fileBytes: Int
  /// Header and section table.
  public var headerBytes: Int
  /// In file order.
  public var sections: [Section]
  /// Zeros between header and sections.
  public var paddingBytes: Int
  /// In file order.
  public var tensors: [StoredTensor]
  /// Zeros between tensors, part of the data section.
  public var tensorPaddingBytes: Int
}

extension ModelFile {
  /// Where the bytes of a file are. Checks everything but the tensors' contents.
  ///
  /// - Throws: as ``decode(_:keptAliveBy:isMapped:limits:by:readsSelfTests:)``.
  public static func layout(
    of bytes: UnsafeRawBufferPointer, limits: ReadLimits = ReadLimits()
  ) throws(NNError) -> FileLayout {
    let reader = try FileReader(bytes, limits: limits)
    return try withExtendedLifetime(reader) { () throws(NNError) -> FileLayout in
      let tensors = try reader.readTensorIndex(try reader.readGraph().names)
      var layout = FileLayout(
        version: Int(Format.version), fileBytes: bytes.count,
        headerBytes: Format.headerSize + reader.sections.count * Format.sectionEntrySize, sections: [],
        paddingBytes: 0, tensors: [], tensorPaddingBytes: reader.section(.data)?.storedBytes ?? 0)
      layout.paddingBytes = bytes.count - layout.headerBytes
      for section in reader.sections {
        layout.paddingBytes -= section.storedBytes
        layout.sections.append(
          FileLayout.Section(
            kind: section.kind, number: section.code & ~SectionKind.requiredBit,
            isRequired: section.code & SectionKind.requiredBit != 0, codec: section.codec,
            offset: section.offset, storedBytes: section.storedBytes, rawBytes: section.rawBytes))
      }
      for tensor in tensors {
        layout.tensorPaddingBytes -= tensor.storedBytes
        layout.tensors.append(
          FileLayout.StoredTensor(
            name: tensor.name, dtype: tensor.dtype, extents: tensor.extents, layout: tensor.layout,
            codec: tensor.codec, offset: tensor.offset, storedBytes: tensor.storedBytes,
            rawBytes: tensor.rawBytes))
      }
      return layout
    }
  }
}
