// The C++ wrapper: objects that give themselves back, exceptions with words, typed views.
#include <nnrt.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);   \
      std::exit(1);                                                                  \
    }                                                                                \
  } while (0)

template <typename Call> static nnrt_status statusOf(Call call) {
  try {
    call();
  } catch (const nnrt::Error &error) {
    CHECK(std::strlen(error.what()) > 0);
    CHECK(std::strcmp(error.statusName(), nnrt_status_name(error.status())) == 0);
    return error.status();
  }
  return NNRT_OK;
}

static nnrt::Session sessionWithoutItsModel(const std::string &path) {
  nnrt::Model model(path);
  return nnrt::Session(model);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  const std::string folder = argv[1], path = folder + "/mlp.nnrt";

  nnrt::Model model(path);
  CHECK(model.inputCount() == 1 && model.outputCount() == 1);
  CHECK(model.input(0).name() == "pixels" && model.input(0).dtype() == NNRT_DTYPE_F32);
  CHECK(model.input(0).dims().size() == 2 && model.input(0).dims()[0] == -1 && model.input(0).dims()[1] == 16);
  CHECK(model.input(0).dimName(0) == "N" && model.input(0).dimName(1).empty() && model.input(0).dimName(9).empty());
  CHECK(model.inputIndex("pixels") == 0 && model.outputIndex("probabilities") == 0);
  CHECK(model.metadata("name") == "A small perceptron" && !model.metadata("nothing"));
  bool found = false;
  for (std::size_t i = 0; i < model.metadataCount(); i++) found |= model.metadata(i).first == "test.key";
  CHECK(found);
  CHECK(model.selfTestCount() == 2);
  model.selfTest();

  nnrt::Session session = sessionWithoutItsModel(path);
  const std::vector<float> pixels(32, 0.25f);
  session.setInput(0, {2, 16}, pixels.data(), pixels.size());
  session.run();
  const nnrt::TensorView view = session.output(0);
  CHECK(view.dims().size() == 2 && view.dims()[0] == 2 && view.dims()[1] == 4 && view.as<float>().size() == 8);
  float sum = 0;
  for (float value : view.as<float>()) sum += value;
  CHECK(sum > 1.999f && sum < 2.001f);
  CHECK(view.bytes().size() == 32);
  CHECK(statusOf([&] { view.as<double>(); }) == NNRT_DTYPE_MISMATCH);

  const std::vector<std::int64_t> dims = {2, 16};
  session.setInput(0, dims, pixels.data(), pixels.size());
  CHECK(statusOf([&] { session.output(0); }) == NNRT_INVALID_STATE);
  session.setInput(0, NNRT_DTYPE_F32, {2, 16}, pixels.data(), 4 * pixels.size());
  session.run();
  CHECK(statusOf([&] { session.output(0).as<std::uint16_t>(); }) == NNRT_DTYPE_MISMATCH);
  CHECK(statusOf([&] { session.output(0).as<std::uint64_t>(); }) == NNRT_DTYPE_MISMATCH);

  const nnrt::Model counter(folder + "/counter.nnrt");
  nnrt::Session counting(counter);
  const float step = 3;
  CHECK(counter.isState(counter.inputIndex("count")) && !counter.isState(counter.inputIndex("step")));
  counting.setInput(counter.inputIndex("step"), {1}, &step, 1);
  for (int start = 0; start < 2; start++) {
    for (int run = 1; run <= 3; run++) {
      counting.run();
      CHECK(counting.output(0).as<float>()[0] == 3 * run);
    }
    counting.reset();
  }

  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  nnrt::Model copy(bytes.data(), bytes.size());
  nnrt::Model moved = std::move(copy);
  nnrt::SessionOptions options;
  options.threads = 2;
  nnrt::Session second(moved, options);
  second.setInput(0, {2, 16}, pixels.data(), pixels.size());
  second.run();
  CHECK(std::memcmp(second.output(0).bytes().data(), view.bytes().data(), 32) == 0);

  // Executors of C++: with state, from threads of their own, and one that throws.
  nnrt::Model wide(folder + "/wide.nnrt");
  const std::vector<float> row(512, 0.125f);
  nnrt::Session alone(wide);
  alone.setInput(0, {1, 512}, row.data(), row.size());
  alone.run();
  const nnrt::TensorView wanted = alone.output(0);
  std::size_t parts = 0;
  auto threads = [&parts](std::size_t count, nnrt::Part part) {
    std::vector<std::thread> workers;
    for (std::size_t index = 0; index < count; index++) workers.emplace_back(part, index);
    for (std::thread &worker : workers) worker.join();
    parts += count;
  };
  nnrt::ModelOptions together;
  together.threads = 3;
  together.setExecutor(threads);
  nnrt::Model opened(folder + "/wide.nnrt", together);
  CHECK(parts == 3);
  nnrt::SessionOptions shared;
  shared.threads = 3;
  shared.setExecutor(threads);
  nnrt::Session third(opened, shared);
  third.setInput(0, {1, 512}, row.data(), row.size());
  third.run();
  CHECK(parts >= 3 + 4 * 2);
  CHECK(std::memcmp(third.output(0).bytes().data(), wanted.bytes().data(), wanted.bytes().size()) == 0);
  bool throws = true;
  const std::function<void(std::size_t, nnrt::Part)> careless = [&throws](std::size_t count, nnrt::Part part) {
    part(0);
    if (throws) throw std::runtime_error("no threads left");
    for (std::size_t index = 1; index < count; index++) part(index);
  };
  shared.setExecutor(careless);
  nnrt::Session fourth(wide, shared);
  fourth.setInput(0, {1, 512}, row.data(), row.size());
  CHECK(statusOf([&] { fourth.run(); }) == NNRT_EXECUTOR_FAILED);
  throws = false;
  fourth.run();
  CHECK(std::memcmp(fourth.output(0).bytes().data(), wanted.bytes().data(), wanted.bytes().size()) == 0);

  CHECK(statusOf([] { nnrt::Model("/nowhere.nnrt"); }) == NNRT_FILE_ACCESS);
  CHECK(statusOf([&] { nnrt::Model(bytes.data(), bytes.size() - 1); }) != NNRT_OK);
  CHECK(statusOf([&] { model.input(1); }) == NNRT_INVALID_ARGUMENT);
  CHECK(statusOf([&] { model.inputIndex("nothing"); }) == NNRT_INVALID_ARGUMENT);
  CHECK(statusOf([&] { model.metadata(1000); }) == NNRT_INVALID_ARGUMENT);
  CHECK(statusOf([&] { session.setInput(0, {2, 15}, pixels.data(), 30); }) == NNRT_SHAPE_MISMATCH);
  CHECK(statusOf([&] { session.output(1); }) == NNRT_INVALID_ARGUMENT);
  nnrt::ModelOptions small;
  small.memory_limit = 100;
  CHECK(statusOf([&] { nnrt::Model(path, small); }) == NNRT_LIMIT_EXCEEDED);
  return 0;
}
