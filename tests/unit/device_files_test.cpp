#include "core/device_files.hpp"

#include <gtest/gtest.h>

namespace hyades {
namespace {

TEST(DeviceFiles, APatternHasOneNumber) {
  for (const char* text : {"/dev/nvidia%d", "/dev/dri/renderD%+128d", "/d%d/x", "/%+0d",
                           "/dev/x%+999999d", "/dev/%dd"}) {
    EXPECT_TRUE(is_device_pattern(text)) << text;
  }
  for (const char* text :
       {"", "/dev/nvidia", "nvidia%d", "/dev/%d%d", "/dev/%s%d", "/dev/%", "/dev/%5d", "/dev/%+d",
        "/dev/%-1d", "/dev/%+-1d", "/dev/%++1d", "/dev/%+1 d", "/dev/%+1000000d", "/dev/%%d",
        "/dev/%+99999999999999999999d", "/dev/%x/d"}) {
    EXPECT_FALSE(is_device_pattern(text)) << text;
    if (*text != 'n') {
      EXPECT_EQ(device_path(text, 1), "") << text;
    }
  }
}

TEST(DeviceFiles, ThePathHasTheIndexInItsPlace) {
  EXPECT_EQ(device_path("/dev/nvidia%d", 3), "/dev/nvidia3");
  EXPECT_EQ(device_path("/dev/dri/renderD%+128d", 2), "/dev/dri/renderD130");
  EXPECT_EQ(device_path("/dev/acc%d/data", 12), "/dev/acc12/data");
}

}  // namespace
}  // namespace hyades
