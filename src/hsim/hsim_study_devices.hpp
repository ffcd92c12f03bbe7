#pragma once

namespace hyades {

int hsim_study_devices(int argc, char** argv);

}  // namespace hyades
