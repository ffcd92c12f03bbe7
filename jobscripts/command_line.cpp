#include "command_line.hpp"

#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>

namespace po = boost::program_options;

namespace hyades::jobscripts {
namespace {

po::variables_map parse(int argc, char** argv, const po::options_description& options) {
  namespace style = po::command_line_style;
  po::variables_map values;
  po::store(po::command_line_parser(argc, argv)
                .options(options)
                .positional({})  // a stray word is an error, not silently dropped
                .style(style::default_style & ~style::allow_guessing)
                .run(),
            values);
  if (values.count("help") == 0) po::notify(values);
  return values;
}

}  // namespace

int run_program(int argc, char** argv, const std::string& summary, po::options_description options,
                const Body& body) {
  const std::string name = std::filesystem::path(argc > 0 ? argv[0] : "program").filename();
  options.add_options()("help,h", "print this help and exit");
  try {
    const po::variables_map values = parse(argc, argv, options);
    if (values.count("help") != 0) {
      std::cout << "Usage: " << name << " [options]\n\n" << summary << "\n\n" << options;
      return kSuccess;
    }
    int code = body(values);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      std::fprintf(stderr, "%s: cannot write standard output: is the disk full?\n", name.c_str());
      code = kFailure;
    }
    return code;
  } catch (const po::too_many_positional_options_error&) {
    std::fprintf(stderr, "%s: an argument is not an option. See %s --help\n", name.c_str(),
                 name.c_str());
    return kUsage;
  } catch (const po::error& error) {
    std::fprintf(stderr, "%s: %s. See %s --help\n", name.c_str(), error.what(), name.c_str());
    return kUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
    return kFailure;
  }
}

}  // namespace hyades::jobscripts
