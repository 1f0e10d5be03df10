/*
 * nnrt.hpp - the C API of nnrt.h as C++17 objects that give themselves back. Header only; link libnnrt.
 *
 *     #include <nnrt.hpp>
 *     #include <iostream>
 *
 *     int main(int argc, char **argv) {
 *       try {
 *         nnrt::Model model(argc > 1 ? argv[1] : "digits.nnrt");
 *         nnrt::Session session(model);
 *         float pixels[64] = {};
 *         session.setInput(0, {1, 64}, pixels, 64);
 *         session.run();
 *         for (float score : session.output(0).as<float>()) std::cout << score << '\n';
 *       } catch (const nnrt::Error &error) {
 *         std::cerr << error.what() << '\n';
 *         return 1;
 *       }
 *     }
 *
 * Ownership and threads are those of nnrt.h: a Model may be used by many threads, a Session by one at a time, and a
 * Session keeps what it needs of its Model. Whatever fails throws nnrt::Error. Objects can be moved, not copied; one that
 * was moved from may only be assigned to or destroyed.
 */
#ifndef NNRT_HPP
#define NNRT_HPP

#include <nnrt.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nnrt {

/** A failed call: its status, and its reason in words. */
class Error : public std::exception {
public:
  /** Takes the words from this thread's last failure. */
  explicit Error(nnrt_status status) : Error(status, nnrt_error_message()) {}
  Error(nnrt_status status, std::string message) : status_(status), message_(std::move(message)) {}

  nnrt_status status() const noexcept { return status_; }
  /** The name of the status as in nnrt.h, such as "NNRT_CORRUPT_FILE". */
  const char *statusName() const noexcept { return nnrt_status_name(status_); }
  const char *what() const noexcept override { return message_.c_str(); }

private:
  nnrt_status status_;
  std::string message_;
};

/** Throws unless `status` is NNRT_OK. */
inline void check(nnrt_status status) {
  if (status != NNRT_OK) throw Error(status);
}

/** The nnrt_dtype of a C++ type, as DTypeOf<float>::value. */
template <typename T> struct DTypeOf;
template <> struct DTypeOf<float> { static constexpr nnrt_dtype value = NNRT_DTYPE_F32; };
template <> struct DTypeOf<double> { static constexpr nnrt_dtype value = NNRT_DTYPE_F64; };
template <> struct DTypeOf<std::int8_t> { static constexpr nnrt_dtype value = NNRT_DTYPE_I8; };
template <> struct DTypeOf<std::int16_t> { static constexpr nnrt_dtype value = NNRT_DTYPE_I16; };
template <> struct DTypeOf<std::int32_t> { static constexpr nnrt_dtype value = NNRT_DTYPE_I32; };
template <> struct DTypeOf<std::int64_t> { static constexpr nnrt_dtype value = NNRT_DTYPE_I64; };
template <> struct DTypeOf<std::uint8_t> { static constexpr nnrt_dtype value = NNRT_DTYPE_U8; };
template <> struct DTypeOf<std::uint16_t> { static constexpr nnrt_dtype value = NNRT_DTYPE_U16; };
template <> struct DTypeOf<std::uint32_t> { static constexpr nnrt_dtype value = NNRT_DTYPE_U32; };
template <> struct DTypeOf<std::uint64_t> { static constexpr nnrt_dtype value = NNRT_DTYPE_U64; };
template <> struct DTypeOf<bool> { static constexpr nnrt_dtype value = NNRT_DTYPE_BOOL; };

/** Elements that belong to somebody else. */
template <typename T> class Span {
public:
  constexpr Span() noexcept = default;
  constexpr Span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
  /** All of a std::vector, std::array or the like. */
  template <typename Container, typename = std::enable_if_t<std::is_convertible_v<
                                    decltype(std::data(std::declval<const Container &>())), T *>>>
  constexpr Span(const Container &container) noexcept : data_(std::data(container)), size_(std::size(container)) {}

  constexpr T *data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T *begin() const noexcept { return data_; }
  constexpr T *end() const noexcept { return data_ + size_; }
  constexpr T &operator[](std::size_t index) const noexcept { return data_[index]; }

private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
};

/** A view of a result, valid until its session's next setInput, reset or run, or its end. */
class TensorView {
public:
  explicit TensorView(const nnrt_tensor &tensor) noexcept : tensor_(tensor) {}

  nnrt_dtype dtype() const noexcept { return tensor_.dtype; }
  /** The extents, outermost first. They belong to this object. */
  Span<const std::int64_t> dims() const noexcept { return {tensor_.dims, tensor_.rank}; }
  /** The elements as bytes, in row-major order. */
  Span<const std::byte> bytes() const noexcept {
    return {static_cast<const std::byte *>(tensor_.data), tensor_.size};
  }
  /** The elements in row-major order. Throws NNRT_DTYPE_MISMATCH if they are of another type. */
  template <typename T> Span<const T> as() const {
    if (tensor_.dtype != DTypeOf<T>::value) {
      throw Error(NNRT_DTYPE_MISMATCH, std::string("the elements are ") + nnrt_dtype_name(tensor_.dtype) + ", not " +
                                           nnrt_dtype_name(DTypeOf<T>::value));
    }
    return {static_cast<const T *>(tensor_.data), tensor_.size / sizeof(T)};
  }

private:
  nnrt_tensor tensor_;
};

/** Name, type and extents of an input or output. Its texts live as long as the model. */
class TensorInfo {
public:
  explicit TensorInfo(const nnrt_tensor_info &info) noexcept : info_(info) {}

  std::string_view name() const noexcept { return info_.name; }
  nnrt_dtype dtype() const noexcept { return info_.dtype; }
  /** The extents, outermost first; -1 where one is free. They belong to this object. */
  Span<const std::int64_t> dims() const noexcept { return {info_.dims, info_.rank}; }
  /** The name of a free extent; empty for one that is known or has no name. */
  std::string_view dimName(std::size_t axis) const noexcept {
    return axis < info_.rank && info_.dim_names[axis] ? info_.dim_names[axis] : std::string_view();
  }

private:
  nnrt_tensor_info info_;
};

/** Work for an executor: called with each index below the number of parts exactly once, it runs that part. */
class Part {
public:
  Part(nnrt_part function, void *argument) noexcept : function_(function), argument_(argument) {}
  void operator()(std::size_t index) const noexcept { function_(argument_, index); }

private:
  nnrt_part function_;
  void *argument_;
};

/** Options that may name an executor. */
template <typename Options> struct ExecutorOptions : Options {
  ExecutorOptions() noexcept : Options() { this->struct_size = sizeof(Options); }

  /**
   * Shares the work of `threads` threads by `executor(std::size_t count, nnrt::Part part)`, which is an nnrt_parallel_for
   * of nnrt.h. It stays yours and must live as long as what is made with these options. What it throws goes no further:
   * parts that were left out then fail the run, with NNRT_EXECUTOR_FAILED.
   */
  template <typename Executor> void setExecutor(Executor &executor) noexcept {
    this->parallel_context = const_cast<void *>(static_cast<const void *>(std::addressof(executor)));
    this->parallel_for = [](void *context, std::size_t count, nnrt_part part, void *argument) {
      try {
        (*static_cast<Executor *>(context))(count, Part(part, argument));
      } catch (...) {
      }
    };
  }
};

/** nnrt_model_options with its size set. */
struct ModelOptions : ExecutorOptions<nnrt_model_options> {};

/** nnrt_session_options with its size set. */
struct SessionOptions : ExecutorOptions<nnrt_session_options> {};

/** An open model: immutable, for any number of threads. */
class Model {
public:
  /** Opens a .nnrt file. */
  explicit Model(const std::string &path, const ModelOptions &options = {}) {
    nnrt_model *model = nullptr;
    check(nnrt_model_open(path.c_str(), &options, &model));
    handle_.reset(model);
  }

  /** Opens the bytes of a .nnrt file, which are copied. */
  Model(const void *bytes, std::size_t size, const ModelOptions &options = {}) {
    nnrt_model *model = nullptr;
    check(nnrt_model_open_memory(bytes, size, &options, &model));
    handle_.reset(model);
  }

  std::size_t inputCount() const noexcept { return nnrt_model_input_count(get()); }
  std::size_t outputCount() const noexcept { return nnrt_model_output_count(get()); }

  TensorInfo input(std::size_t index) const {
    nnrt_tensor_info info;
    check(nnrt_model_input_info(get(), index, &info));
    return TensorInfo(info);
  }

  /** Whether an input is a carried state, which need not be set; see nnrt_model_input_is_state. */
  bool isState(std::size_t index) const noexcept { return nnrt_model_input_is_state(get(), index) != 0; }

  TensorInfo output(std::size_t index) const {
    nnrt_tensor_info info;
    check(nnrt_model_output_info(get(), index, &info));
    return TensorInfo(info);
  }

  /** The index of the input with this name; throws if there is none. */
  std::size_t inputIndex(const std::string &name) const {
    std::size_t index = 0;
    check(nnrt_model_find_input(get(), name.c_str(), &index));
    return index;
  }

  /** The index of the output with this name; throws if there is none. */
  std::size_t outputIndex(const std::string &name) const {
    std::size_t index = 0;
    check(nnrt_model_find_output(get(), name.c_str(), &index));
    return index;
  }

  std::size_t metadataCount() const noexcept { return nnrt_model_metadata_count(get()); }

  /** One entry of the metadata: key and value, which live as long as the model. */
  std::pair<std::string_view, std::string_view> metadata(std::size_t index) const {
    const char *key = nnrt_model_metadata_key(get(), index);
    const char *value = nnrt_model_metadata_value(get(), index);
    if (!key || !value) throw Error(NNRT_INVALID_ARGUMENT);
    return {key, value};
  }

  /** What the metadata has for a key, if anything; it lives as long as the model. */
  std::optional<std::string_view> metadata(const std::string &key) const {
    const char *value = nnrt_model_metadata_find(get(), key.c_str());
    return value ? std::optional<std::string_view>(value) : std::nullopt;
  }

  std::size_t selfTestCount() const noexcept { return nnrt_model_self_test_count(get()); }

  /** Throws NNRT_SELF_TEST_FAILED if a self-test vector gives other bits than the file records. */
  void selfTest(const SessionOptions &options = {}) const { check(nnrt_model_self_test(get(), &options)); }

  /** The handle, which stays this object's. */
  const nnrt_model *get() const noexcept { return handle_.get(); }

private:
  struct Close {
    void operator()(nnrt_model *model) const noexcept { nnrt_model_close(model); }
  };
  std::unique_ptr<nnrt_model, Close> handle_;
};

/** A place where a model runs, for one thread at a time. */
class Session {
public:
  explicit Session(const Model &model, const SessionOptions &options = {}) {
    nnrt_session *session = nullptr;
    check(nnrt_session_create(model.get(), &options, &session));
    handle_.reset(session);
  }

  /** Copies `count` elements in row-major order into an input. */
  template <typename T>
  void setInput(std::size_t index, Span<const std::int64_t> dims, const T *data, std::size_t count) {
    setInput(index, DTypeOf<T>::value, dims, data, count * sizeof(T));
  }

  template <typename T>
  void setInput(std::size_t index, std::initializer_list<std::int64_t> dims, const T *data, std::size_t count) {
    setInput(index, Span<const std::int64_t>(dims.begin(), dims.size()), data, count);
  }

  /** Copies `size` bytes of elements of any type, in row-major order, into an input. */
  void setInput(std::size_t index, nnrt_dtype dtype, Span<const std::int64_t> dims, const void *data,
                std::size_t size) {
    check(nnrt_session_set_input(handle_.get(), index, dtype, dims.data(), dims.size(), data, size));
  }

  void setInput(std::size_t index, nnrt_dtype dtype, std::initializer_list<std::int64_t> dims, const void *data,
                std::size_t size) {
    setInput(index, dtype, Span<const std::int64_t>(dims.begin(), dims.size()), data, size);
  }

  void run() { check(nnrt_session_run(handle_.get())); }

  /** Puts carried states back to what they were in a new session; see Model::isState. */
  void reset() { check(nnrt_session_reset(handle_.get())); }

  /** An output of the last run, valid until the next setInput, reset or run. */
  TensorView output(std::size_t index) const {
    nnrt_tensor tensor;
    check(nnrt_session_output(handle_.get(), index, &tensor));
    return TensorView(tensor);
  }

  /** The handle, which stays this object's. */
  nnrt_session *get() const noexcept { return handle_.get(); }

private:
  struct Destroy {
    void operator()(nnrt_session *session) const noexcept { nnrt_session_destroy(session); }
  };
  std::unique_ptr<nnrt_session, Destroy> handle_;
};

} // namespace nnrt

#endif
