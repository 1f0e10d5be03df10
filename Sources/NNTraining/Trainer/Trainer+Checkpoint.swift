import Files
import NNGraph

// A checkpoint is one file: "NNRTCKPT", version, length and checksum of the rest, then the settings it belongs to, the
// position, all tensors by name, and what callbacks keep. It is replaced in one step, so that a crash or a full disk
// leaves the previous one whole.
extension Trainer {
  private static var magic: [UInt8] { Array("NNRTCKPT".utf8) }
  private static var version: Int { 2 }

  func writeCheckpoint(_ path: String, _ settings: FitSettings, _ position: FitPosition) throws(NNError) {
    var content = CheckpointWriter()
    content.write(Array(try fingerprint(settings).text.utf8))
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
    do throws(NNError) {
      try WholeFile.write(file.bytes, to: path)
    } catch {
      throw error.within("checkpoint")
    }
  }

  /// The content of a checkpoint whose checksum is right; nil if there is no such file.
  func readCheckpoint(_ path: String) throws(NNError) -> [UInt8]? {
    do throws(NNError) {
      return try WholeFile.readIfPresent(path) { (bytes) throws(NNError) in
        try Trainer.checkpointContent(Array(bytes))
      }
    } catch {
      throw error.within("checkpoint")
    }
  }

  private static func checkpointContent(_ bytes: [UInt8]) throws(NNError) -> [UInt8] {
    var reader = CheckpointReader(bytes)
    guard try reader.byteArray() == magic else { throw NNError(.corruptFile, "this is none") }
    let version = try reader.integer()
    guard version == self.version else {
      throw NNError(.unsupportedVersion, "it has version \(version), this program reads \(self.version)")
    }
    let recorded = try reader.word()
    let content = try reader.byteArray()
    try reader.end()
    guard checksum(content) == recorded else {
      throw NNError(.checksumMismatch, "its bytes do not have their recorded checksum")
    }
    return content
  }

  /// Takes over everything a checkpoint holds. The trainer is not changed before all of it has been found right.
  func restore(
    _ content: [UInt8], _ settings: FitSettings, _ position: inout FitPosition
  ) throws(NNError) {
    var reader = CheckpointReader(content)
    let recorded = TrainingFingerprint(text: String(decoding: try reader.byteArray(), as: UTF8.self))
    if let difference = try fingerprint(settings).difference(from: recorded) {
      throw NNError(
        .invalidArgument, Message(text: "the checkpoint belongs to another training: \(difference)"))
    }
    let step = try reader.count()
    let learningRate = try reader.double()
    let restored = try restoredPosition(&reader, settings, position)
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
    guard try ahead.integer() == settings.callbacks.count else {
      throw NNError(.invalidArgument, "the checkpoint was made with another number of callbacks")
    }
    var kept: [[UInt8]] = []
    for _ in settings.callbacks { kept.append(try ahead.byteArray()) }
    try ahead.end()
    for (callback, bytes) in zip(settings.callbacks, kept) { try callback.restore(bytes, self) }
    for tensor in tensors {
      _ = try reader.name()
      try reader.floats(into: tensor.values)
    }
    self.step = step
    self.learningRate = learningRate
    position = restored
  }

  /// Where the training stood; a batch beyond the epoch's, or other samples than its batches have, are refused.
  private func restoredPosition(
    _ reader: inout CheckpointReader, _ settings: FitSettings, _ position: FitPosition
  ) throws(NNError) -> FitPosition {
    var restored = position
    restored.epoch = try reader.count()
    restored.batch = try reader.count()
    restored.samples = try reader.count()
    for index in restored.sums.indices { restored.sums[index] = try reader.double() }
    guard restored.batch <= settings.batches,
      restored.samples == settings.samplesBefore(batch: restored.batch),
      !restored.epoch.multipliedReportingOverflow(by: settings.batches).overflow
    else {
      throw NNError(
        .corruptFile,
        "the checkpoint stands after batch \(restored.batch) of \(settings.batches) with \(restored.samples) samples, epoch \(restored.epoch)"
      )
    }
    guard restored.epoch <= settings.epochs else {
      throw NNError(
        .invalidArgument,
        "the checkpoint has done \(restored.epoch) epochs, more than the \(settings.epochs) that are asked for"
      )
    }
    return restored
  }

  private func checkpointTensors(_ settings: FitSettings) -> [Parameter] {
    store.parameters + store.slots.all + (settings.accumulating > 1 ? store.accumulators.all : [])
  }

  /// FNV-1a over 64 bits.
  private static func checksum(_ bytes: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
}
