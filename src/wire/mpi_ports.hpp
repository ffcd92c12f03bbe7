// The ports of the MPI daemon that has started us. It listens for its ranks and for other daemons
// of its own, believes whoever connects, and does not survive noise (PMIx 4.2): any user of the
// host could end the world, or worse, as often as they like.
#pragma once

namespace hyades {

enum class MpiPorts {
  OfThisHost,  // those on the loopback interface: for ranks of this host
  All,         // for other daemons, too: a world on one host has none
};

// Nobody can connect any more; connections that exist are not touched. Call it when all ranks have
// been heard of. Returns how many ports were shut: 0, too, where the kernel does not let us.
int shut_mpi_ports(MpiPorts which);

}  // namespace hyades
