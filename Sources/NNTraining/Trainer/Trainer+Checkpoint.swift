import CPlatform
import NNGraph

// A checkpoint is one file: "NNRTCKPT", version, length and checksum of the rest, then the settings it belongs to, the
// position, all tensors by name, and what callbacks keep. It is replaced in one step, so that a crash or a full disk
// leaves the previous one whole.
extension Trainer {
  private static var magic: [UInt8] { Array("NNRTCKPT".utf8) }
  private static var version: Int { 1 }

  func writeCheckpoint(_ path: String, _ settings: FitSettings, _ position: FitPosition) throws(NNError) {
    var content = CheckpointWriter()
    content.write(Array(fingerprint(settings).utf8))
    content.write(step)
    content.write(learningRate)
    content.write(position.epoch)
    content.write(position.batch)
    content.write(position.samples)
    for sum in position.sums { content.write(sum) }
    let tensors = checkpointTensors(settings)
    content.write(tensors.count)
    for tensor in tensors {
      content.write(tensor.name.utf8)
      content.write(tensor.values)
    }
    content.write(settings.callbacks.count)
    for callback in settings.callbacks { content.write(callback.save()) }

    var file = CheckpointWriter()
    file.write(Trainer.magic)
    file.write(Trainer.version)
    file.write(Trainer.checksum(content.bytes))
    file.write(content.bytes)
    let status = file.bytes.withUnsafeBytes { nnp_file_write_atomically(path, $0.baseAddress, $0.count) }
    guard status == 0 else {
      throw NNError(
        .fileAccess, "checkpoint \"\(path)\" cannot be written: \(String(cString: nnp_error_text(status)))")
    }
  }

  /// The content of a checkpoint whose checksum is right; nil if there is no such file.
  func readCheckpoint(_ path: String) throws(NNError) -> [UInt8]? {
    var mapping = nnp_mapping()
    let status = nnp_file_map(path, &mapping)
    if status == ENOENT { return nil }
    guard status == 0 else {
      throw NNError(
        .fileAccess, "checkpoint \"\(path)\" cannot be read: \(String(cString: nnp_error_text(status)))")
    }
    let bytes = Array(UnsafeRawBufferPointer(start: mapping.bytes, count: mapping.size))
    nnp_file_unmap(mapping)
    do throws(NNError) {
      var reader = CheckpointReader(bytes)
      guard try reader.byteArray() == Trainer.magic else {
        throw NNError(.corruptFile, "is no checkpoint")
      }
      let version = try reader.integer()
      guard version == Trainer.version else {
        throw NNError(.unsupportedVersion, "has version \(version), this program reads \(Trainer.version)")
      }
      let checksum = try reader.word()
      let content = try reader.byteArray()
      try reader.end()
      guard Trainer.checksum(content) == checksum else {
        throw NNError(.checksumMismatch, "its bytes do not have their recorded checksum")
      }
      return content
    } catch {
      throw error.within("checkpoint \"\(path)\"")
    }
  }

  /// Takes over everything a checkpoint holds. Nothing is changed before names and sizes have been found right.
  func restore(
    _ content: [UInt8], _ settings: FitSettings, _ position: inout FitPosition
  ) throws(NNError) {
    var reader = CheckpointReader(content)
    let recorded = Name(utf8: try reader.byteArray())
    guard recorded == Name(fingerprint(settings)) else {
      throw NNError(
        .invalidArgument,
        "the checkpoint belongs to another training: \(recorded.string); this one is \(fingerprint(settings))"
      )
    }
    let step = try reader.integer()
    let learningRate = try reader.double()
    var restored = position
    restored.epoch = try reader.integer()
    restored.batch = try reader.integer()
    restored.samples = try reader.integer()
    for index in restored.sums.indices { restored.sums[index] = try reader.double() }
    let tensors = checkpointTensors(settings)
    guard try reader.integer() == tensors.count else {
      throw NNError(.invalidArgument, "the checkpoint has another number of tensors than this model")
    }
    var ahead = reader
    for tensor in tensors {
      guard try ahead.name() == tensor.name, try ahead.byteArray().count == tensor.values.count * 4 else {
        throw NNError(
          .invalidArgument, "the checkpoint's tensors are not those of this model: \(tensor.name.quoted)")
      }
    }
    for tensor in tensors {
      _ = try reader.name()
      try reader.floats(into: tensor.values)
    }
    guard try reader.integer() == settings.callbacks.count else {
      throw NNError(.invalidArgument, "the checkpoint was made with another number of callbacks")
    }
    for callback in settings.callbacks { try callback.restore(reader.byteArray(), self) }
    try reader.end()
    self.step = step
    self.learningRate = learningRate
    position = restored
  }

  private func checkpointTensors(_ settings: FitSettings) -> [Parameter] {
    store.parameters + store.slots.all + (settings.accumulating > 1 ? store.accumulators.all : [])
  }

  /// What must be the same for a resumed training to end in the same bits. The number of epochs may grow.
  private func fingerprint(_ settings: FitSettings) -> String {
    "\(recipe.optimizer.description)\(recipe.groups.map { ", " + $0.description }.joined()), \(recipe.loss), clipping \(recipe.clipping), seed \(seed), "
      + "batches of \(settings.batchSize)\(settings.accumulating > 1 ? ", \(settings.accumulating) to an update" : "")"
      + "\(settings.dropsLastBatch ? " without the last" : ""), "
      + "\(settings.data.count) samples of shape \(Shape(sampleShape).description), "
      + "\(recipe.metrics.count) metrics"
      + (settings.sampling == .shuffled ? "" : ", samples \(settings.sampling)")
      + settings.augmentation.map { ", \($0)" }.joined()
  }

  /// FNV-1a over 64 bits.
  private static func checksum(_ bytes: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
}
