# SPDX-License-Identifier: BSD-2-Clause
# The short commands. Meson builds, tools/ has the rest; doc/hacking.md says
# more. BUILD=DIR builds elsewhere, DESTDIR=DIR installs there.

BUILD = build
MESON = meson
NINJA = ninja

all: $(BUILD)/build.ninja
	@$(NINJA) -C $(BUILD)

$(BUILD)/build.ninja:
	@$(MESON) setup $(BUILD)

# Debian packages that are missing: a quick look when nothing is.
deps:
	@tools/install-deps

demo: deps
	@$(MAKE) --no-print-directory all
	@exec examples/demo.sh $(BUILD)

test: deps
	@$(MAKE) --no-print-directory all
	@exec tools/run-tests $(BUILD)

# On a real Xen, emulated; the short ones are in "make test", too.
test-xen: deps
	@$(MAKE) --no-print-directory all
	@exec tests/xen/run short --build $(BUILD) $(XEN_OPTIONS)

test-xen-long: deps
	@$(MAKE) --no-print-directory all
	@exec tests/xen/run long --build $(BUILD) $(XEN_OPTIONS)

bench: all
	@bench/run-bench $(BUILD)
	@exec bench/run-apps $(BUILD)

check: deps
	@exec tools/check-all

fuzz:
	@exec tools/run-fuzz

# The tunnel inside IPsec, in a guest with a kernel that has ESP: a minute.
test-ipsec: all
	@exec tests/system/ipsec-guest build

# Random networks under spanning tree: minutes.  SEED=N begins elsewhere.
SEED = 1
sim: all
	@exec $(BUILD)/coax-sim --random 10000 --seed $(SEED) --jobs $$(nproc)

install: all
	@$(MESON) install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-gcc build-clang build-asan build-fuzz build-check

.PHONY: all deps demo test test-xen test-xen-long bench check fuzz sim install
.PHONY: clean test-ipsec
