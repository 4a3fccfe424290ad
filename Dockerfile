# The program with its demo on a CPU, run as a user without rights:
#   docker build -t planner . && docker run --rm planner          (the demo)
#   docker run --rm -v "$PWD:/work" planner estimate --target-wer 5% --store /work/store
FROM python:3.12-slim

RUN useradd --create-home planner
WORKDIR /opt/planner
COPY . .
RUN pip install --no-cache-dir -c constraints.txt '.[calibrate,plot]'

USER planner
WORKDIR /home/planner
ENTRYPOINT ["planner"]
CMD ["calibrate", "--domain", "speech", "--preset", "quick"]
